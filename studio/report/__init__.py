"""The report: one HTML file that holds all there is to say about an artifact."""

from studio.report.page import render
from studio.report.values import ReportData, environment

__all__ = ["ReportData", "environment", "render"]
