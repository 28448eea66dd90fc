"""Qt as PythonQt wraps it: properties, signals by signature, search, return values of dialogs."""

import subprocess
import time

import ctk
import pytest
import qt


def test_properties_are_attributes():
    button = qt.QPushButton("Apply")
    button.enabled = False
    button.name = "applyButton"
    button.toolTip = "Start"
    assert (button.text, button.enabled, button.objectName, button.toolTip) == ("Apply", False, "applyButton", "Start")
    button.text = "Cancel"
    assert button.text == "Cancel"
    spin = qt.QSpinBox()
    spin.maximum = 7
    spin.value = 3.7
    assert spin.value == 3
    table = qt.QTableWidget()
    table.rowCount = 2
    table.columnCount = 3
    assert (table.rowCount, table.columnCount) == (2, 3)


def test_property_that_cannot_be_written_says_so():
    with pytest.raises(AttributeError, match="width"):
        qt.QWidget().width = 5


def test_misspelt_property_is_an_error():
    with pytest.raises(AttributeError, match="'enabeld' does not exist on QPushButton and creating new attributes"):
        qt.QPushButton().enabeld = False
    with pytest.raises(AttributeError, match="'currrentPath' does not exist on ctkPathLineEdit"):
        ctk.ctkPathLineEdit().currrentPath = "/data"
    with pytest.raises(AttributeError, match="Slot 'show' can not be overwritten"):
        qt.QWidget().show = print


def test_class_derived_in_python_takes_attributes():
    class Panel(qt.QWidget):
        def __init__(self):
            super().__init__()
            self.logic = "logic"

    assert Panel().logic == "logic"


def test_dynamic_properties_are_attributes():
    button = qt.QPushButton()
    assert not hasattr(button, "SlicerParameterName")
    button.setProperty("SlicerParameterName", "threshold")
    assert button.SlicerParameterName == "threshold"
    button.SlicerParameterName = "epochs"
    assert button.property("SlicerParameterName") == "epochs"


def test_property_hidden_by_a_method_of_a_derived_class_stays_a_property():
    assert qt.QLabel("text").sizeHint.width() > 0


def test_signals_connect_by_attribute_and_by_signature():
    button = qt.QPushButton()
    button.checkable = True
    heard = []
    button.clicked.connect(lambda checked: heard.append(("attribute", checked)))
    assert button.connect("clicked(bool)", lambda checked: heard.append(("signature", checked)))
    assert button.connect("clicked()", lambda: heard.append(("short",)))
    button.click()
    assert sorted(heard) == [("attribute", True), ("short",), ("signature", True)]


def test_callable_gets_as_many_arguments_as_it_takes():
    heard = []
    combo = qt.QComboBox()
    combo.connect("currentIndexChanged(int)", lambda: heard.append("none"))
    combo.connect("currentIndexChanged(int)", heard.append)
    combo.addItems(["one", "two"])
    assert heard == ["none", 0]


def test_disconnect_by_signature():
    button = qt.QPushButton()
    heard = []

    def hear():
        heard.append("clicked")

    button.connect("clicked()", hear)
    button.click()
    assert button.disconnect("clicked()", hear)
    assert not button.disconnect("clicked()", hear)
    button.click()
    assert heard == ["clicked"]


def test_unknown_signal_is_a_warning_and_returns_false():
    with pytest.warns(UserWarning, match=r"QPushButton has no signal 'pressedTwice\(\)'"):
        assert not qt.QPushButton().connect("pressedTwice()", print)


def test_connect_to_the_slot_of_a_receiver():
    slider, spin = qt.QSlider(), qt.QSpinBox()
    assert slider.connect("valueChanged(int)", spin, "setValue(int)")
    slider.value = 9
    assert spin.value == 9


def test_children_are_found_by_class_class_name_and_name():
    parent = qt.QWidget()
    layout = qt.QVBoxLayout(parent)
    for name in ("first", "second"):
        button = qt.QPushButton(name)
        button.objectName = name
        layout.addWidget(button)
    assert [child.text for child in parent.findChildren(qt.QPushButton)] == ["first", "second"]
    assert parent.findChildren("QAbstractButton", "second")[0].text == "second"
    assert parent.findChild(qt.QLabel) is None
    assert parent.className() == "QWidget"


def test_file_dialogs_return_paths_alone(tmp_path):
    def cancel():
        qt.QApplication.activeModalWidget().reject()

    qt.QTimer.singleShot(200, cancel)
    assert qt.QFileDialog.getOpenFileName(None, "Open", str(tmp_path)) == ""
    qt.QTimer.singleShot(200, cancel)
    assert qt.QFileDialog.getSaveFileName(None, "Save", str(tmp_path)) == ""
    qt.QTimer.singleShot(200, cancel)
    assert qt.QFileDialog.getOpenFileNames(None, "Open", str(tmp_path)) == ()


def test_single_shot_is_a_function_of_the_class_and_a_property_of_a_timer(slicer_app):
    heard = []
    qt.QTimer.singleShot(0, lambda: heard.append("shot"))
    timer = qt.QTimer()
    timer.singleShot = True
    timer.interval = 5
    timer.connect("timeout()", lambda: heard.append("timer"))
    timer.start()
    assert timer.active
    deadline = time.monotonic() + 5
    while len(heard) < 2 and time.monotonic() < deadline:
        slicer_app.processEvents()
    assert sorted(heard) == ["shot", "timer"]
    assert not timer.active


def test_process_reports_its_end():
    process = qt.QProcess()
    ends = []
    process.connect("finished(int,QProcess::ExitStatus)", lambda code, status: ends.append((code, status)))
    process.start("PythonSlicer", ["-c", "import sys; sys.exit(3)"])
    assert process.waitForFinished(30000)
    assert ends == [(3, qt.QProcess.NormalExit)]
    assert process.state() == qt.QProcess.NotRunning


def test_python_slicer_is_on_the_path():
    command = ["PythonSlicer", "-c", "import numpy; print(6 * 7)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "42"


def test_folded_section_hides_its_contents_and_shows_them_again():
    section = ctk.ctkCollapsibleButton()
    section.text = "Advanced"
    layout = qt.QVBoxLayout(section)
    shown, hidden = qt.QLabel("shown"), qt.QLabel("hidden")
    layout.addWidget(shown)
    layout.addWidget(hidden)
    hidden.visible = False
    folded = []
    section.connect("contentsCollapsed(bool)", folded.append)
    open_height = section.sizeHint().height()
    section.collapsed = True
    assert shown.isHidden()
    assert section.sizeHint().height() < open_height
    section.collapsed = False
    assert not shown.isHidden()
    assert hidden.isHidden()
    assert folded == [True, False]


def test_path_line_edit_tells_of_changes_and_keeps_its_history():
    edit = ctk.ctkPathLineEdit()
    edit.settingKey = "Test/Paths"
    changes = []
    edit.currentPathChanged.connect(changes.append)
    edit.currentPath = "/data/one"
    edit.addCurrentPathToHistory()
    edit.currentPath = "/data/two"
    edit.addCurrentPathToHistory()
    assert changes == ["/data/one", "/data/two"]
    again = ctk.ctkPathLineEdit()
    again.settingKey = "Test/Paths"
    assert again.currentPath == "/data/two"
    changes.clear()
    edit.validInputChanged.connect(changes.append)
    edit.currentPath = ""
    edit.currentPath = "/data/three"
    assert changes == [False, "/data/three", True]
    assert [again.comboBox().itemText(index) for index in range(again.comboBox().count)] == ["/data/two", "/data/one"]


def test_slider_widget_keeps_slider_and_number_together():
    widget = ctk.ctkSliderWidget()
    widget.minimum, widget.maximum, widget.decimals = 0, 10, 1
    values = []
    widget.valueChanged.connect(values.append)
    widget.value = 2.5
    assert values == [2.5]
    assert widget.findChild(qt.QSlider).value == 250
