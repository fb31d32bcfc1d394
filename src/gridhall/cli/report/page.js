"use strict";
const themes = JSON.parse(document.getElementById("themes").textContent);
const charts = document.getElementById("charts").textContent;
const night = matchMedia("(prefers-color-scheme: dark)");

// What all charts share; a chart's own layout goes over it.
function template(theme) {
  const axis = {
    gridcolor: theme.grid, linecolor: theme.grid, zeroline: false, tickcolor: theme.grid, automargin: true,
    title: { font: { size: 12, color: theme.soft }, standoff: 8 }, tickfont: { size: 12, color: theme.soft },
  };
  return {
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: theme.ink },
      margin: { l: 64, r: 16, t: 36, b: 36 }, xaxis: axis, yaxis: axis,
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", traceorder: "normal" },
      hoverlabel: { bgcolor: theme.surface, bordercolor: theme.grid, font: { color: theme.ink } },
    },
  };
}

function draw() {
  const theme = themes[night.matches ? "dark" : "light"];
  const coloured = JSON.parse(charts.replace(/"@([a-z0-9]+)"/g, (_, name) => JSON.stringify(theme[name])));
  for (const [id, chart] of Object.entries(coloured)) {
    const layout = { template: template(theme), ...chart.layout };
    Plotly.react(id, chart.data, layout, { responsive: true, displayModeBar: false });
  }
}

night.addEventListener("change", draw);
draw();
