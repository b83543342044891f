"""The field in which an option is changed: a list of choices, or a number."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.gui.options.table import Option
from studio.gui.tables import ROW, Index


class OptionDelegate(QStyledItemDelegate):
    """Choices and numbers are kept as soon as the field is left, or Enter is pressed."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        wanted: Option = index.data(ROW)
        if wanted.choices:
            box = QComboBox(parent)
            for value, text in wanted.choices:
                box.addItem(text, value)
            return box
        field = QDoubleSpinBox(parent)
        field.setDecimals(wanted.digits)
        field.setRange(0.0, wanted.most)
        field.setSuffix({1_000_000: " MB"}.get(wanted.scale, ""))
        return field

    def setEditorData(self, editor: QWidget, index: Index) -> None:  # noqa: N802 - Qt's own name
        value, wanted = index.data(2), index.data(ROW)
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(max(editor.findData(value), 0))
        elif isinstance(editor, QDoubleSpinBox):
            editor.setValue(value / wanted.scale)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:  # noqa: N802 - Qt's own name
        wanted: Option = index.data(ROW)
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentData())
        elif isinstance(editor, QDoubleSpinBox):
            value = editor.value() * wanted.scale
            model.setData(index, value if wanted.digits else round(value))
