# list_python_files(SCRIPTS RESOURCES): the Python files below the current folder, and the other files that belong to them,
# tests excepted. Looked for anew at each build, so that none is forgotten.
function(list_python_files scripts_variable resources_variable)
  file(GLOB_RECURSE files RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*)
  list(FILTER files EXCLUDE REGEX "^Testing/|__pycache__/|(^|/)\\.|(^|/)CMakeLists.txt$")
  list(SORT files)
  set(scripts ${files})
  list(FILTER scripts INCLUDE REGEX "\\.py$")
  set(resources ${files})
  list(FILTER resources EXCLUDE REGEX "\\.py$")
  set(${scripts_variable} ${scripts} PARENT_SCOPE)
  set(${resources_variable} ${resources} PARENT_SCOPE)
endfunction()

# add_python_unittests(): each test file of the current folder that holds test classes; files with test functions run under
# pytest alone.
function(add_python_unittests)
  file(GLOB files RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/test_*.py)
  foreach(file IN LISTS files)
    file(STRINGS ${file} test_classes REGEX "^class .*(TestCase|ModuleTest)\\):")
    if(test_classes)
      slicer_add_python_unittest(SCRIPT ${file})
    endif()
  endforeach()
endfunction()
