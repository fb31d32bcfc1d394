"""Colours of the report, light and dark. Charts name a token (`@s1`); the page puts in the colour of the day.

Neighbours in SERIES differ in lightness as well as in hue, so that colour-blind readers tell them apart.
"""

LIGHT = {
    "surface": "#fcfcfb",
    "ink": "#14130f",
    "soft": "#55534e",
    "muted": "#8a8881",
    "grid": "#e4e2db",
    "s1": "#2a78d6",
    "s2": "#008300",
    "s3": "#e87ba4",
    "s4": "#eda100",
    "s5": "#1baf7a",
    "s6": "#eb6834",
    "s7": "#4a3aa7",
    "s8": "#e34948",
    "limit": "#c0392b",
    "heat0": "#f1f5fb",
    "heat1": "#8db9ee",
    "heat2": "#0f3f7c",
    "step1": "#b7d3f6",
    "step2": "#6da7ec",
    "step3": "#2a78d6",
    "step4": "#104281",
    "band": "rgba(42,120,214,0.16)",
}
DARK = {
    "surface": "#191918",
    "ink": "#f4f3ee",
    "soft": "#c3c2b7",
    "muted": "#8f8d86",
    "grid": "#302f2c",
    "s1": "#3987e5",
    "s2": "#1f9a3a",
    "s3": "#d55181",
    "s4": "#c98500",
    "s5": "#199e70",
    "s6": "#d95926",
    "s7": "#9085e9",
    "s8": "#e66767",
    "limit": "#ff7b6b",
    "heat0": "#15202e",
    "heat1": "#2a6cb8",
    "heat2": "#b9d7fa",
    "step1": "#cfe2fa",
    "step2": "#86b6ef",
    "step3": "#3987e5",
    "step4": "#1c5cab",
    "band": "rgba(57,135,229,0.22)",
}
SERIES = ("@s1", "@s5", "@s4", "@s7", "@s6", "@s3", "@s2", "@s8")
STEPS = ("@step1", "@step2", "@step3", "@step4")
HEAT = [[0.0, "@heat0"], [0.5, "@heat1"], [1.0, "@heat2"]]
OTHER = "@muted"
