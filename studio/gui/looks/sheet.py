"""The little that palettes cannot say: about twenty lines of style sheet."""

from __future__ import annotations

from studio.gui.looks.theme import Theme

_SHEET = """
QWidget {{ outline: none; }}
QMainWindow, QDialog {{ background: {window}; }}
#panel, #card, #drawer {{ background: {surface}; border: 1px solid {line}; border-radius: 10px; }}
#bar {{ background: {surface}; border: none; border-bottom: 1px solid {line}; }}
#release {{ background: {sunken}; border: 1px solid {line}; border-radius: 8px; }}
#foot {{ background: {surface}; border: none; border-top: 1px solid {line}; }}
#page {{ padding: 3px 12px; color: {muted}; }}
#page:checked {{ color: {text}; background: {accent_soft}; }}
#palette {{ background: {surface}; border: 1px solid {line_strong}; border-radius: 10px; }}
#palette QListWidget {{ background: {surface}; border: none; }}
#palette QListWidget::item {{ border: none; border-radius: 6px; padding: 4px 10px; }}
#answers {{ background: {surface}; border: none; padding: 4px; }}
#answers::item {{ border: none; border-radius: 8px; padding: 4px; }}
#divider {{ background: {line_strong}; }}
#doubt {{ background: {warn_soft}; border: 1px solid {warn}; border-radius: 9px; padding: 6px 10px; }}
#lost {{ background: {warn_soft}; border: 1px solid {warn}; border-radius: 9px; }}
#muted {{ color: {muted}; }}
QPushButton, QToolButton {{ background: transparent; color: {text}; border: 1px solid transparent;
 border-radius: 6px; padding: 5px 10px; }}
#panel QToolButton {{ padding: 4px 7px; }}
QPushButton {{ background: {raised}; border-color: {line}; padding: 6px 14px; }}
QPushButton:hover, QToolButton:hover {{ background: {raised}; border-color: {line_strong}; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{ background: {accent_soft}; }}
QPushButton:focus, QToolButton:focus, QLineEdit:focus, QComboBox:focus {{ border-color: {accent_text}; }}
QPushButton#primary {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QPushButton#primary:hover, QPushButton#primary:focus {{ border-color: {text}; }}
QPushButton:disabled, QPushButton#primary:disabled {{
 background: {raised}; color: {ghost}; border-color: {line}; }}
QToolButton:disabled {{ color: {ghost}; }}
QToolButton::menu-indicator {{ image: none; }}
QLineEdit, QPlainTextEdit {{ background: {sunken}; color: {text}; border: 1px solid {line_strong};
 border-radius: 6px; padding: 5px 8px; selection-background-color: {accent}; }}
QComboBox {{ background: {raised}; color: {text}; border: 1px solid {line_strong}; border-radius: 6px;
 padding: 4px 8px; }}
QComboBox::drop-down {{ border: none; width: 18px; }}
QComboBox QAbstractItemView {{ background: {surface}; border: 1px solid {line_strong}; padding: 4px; }}
QListWidget::item {{ padding: 4px 14px; border-bottom: 1px solid {line}; }}
QListWidget::item:selected {{ background: {accent_soft}; color: {text}; }}
QTableView, QListView {{ background: {surface}; border: none; gridline-color: {line}; }}
#padded::item {{ padding: 0 10px; border: none; }}
#padded::item:selected {{ background: {accent_soft}; color: {text}; }}
QHeaderView, QHeaderView::section {{ background: {surface}; color: {muted}; border: none; }}
QHeaderView::section {{ padding: 0 10px; border-bottom: 1px solid {line_strong}; }}
#padded QHeaderView::section {{ padding: 0 10px 0 13px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
QScrollBar::handle {{ background: {line_strong}; border-radius: 3px; min-height: 28px; min-width: 28px; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
 background: none; border: none; height: 0; width: 0; }}
QScrollArea, QScrollArea > QWidget > #detail, #plain {{ background: transparent; border: none; }}
QSplitter::handle {{ background: transparent; }}
QDialogButtonBox, QMessageBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QMenu {{ background: {surface}; color: {text}; border: 1px solid {line_strong}; padding: 5px; }}
QMenu::item {{ padding: 6px 26px 6px 12px; border-radius: 5px; }}
QMenu::item:selected {{ background: {accent_soft}; }}
QMenu::item:disabled {{ color: {ghost}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 5px 8px; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line_strong}; padding: 5px; }}
QProgressBar {{ background: {raised}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}
"""


def sheet(theme: Theme) -> str:
    """The style sheet of a theme."""
    tokens = {name: getattr(theme, name) for name in theme.__slots__}
    return _SHEET.format(**tokens)
