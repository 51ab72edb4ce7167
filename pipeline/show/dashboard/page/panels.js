"use strict";
(() => {
  const { config, specs } = JSON.parse(document.getElementById("charts").textContent);

  const drawAll = async (root) => {
    for (const place of root.querySelectorAll(".variant:not([hidden]) [data-chart]")) {
      const spec = specs[place.dataset.chart];
      if (spec) await drawing.draw(place, spec, config);
    }
  };

  for (const select of document.querySelectorAll("select[data-panel]")) {
    select.addEventListener("change", () => {
      const panel = document.getElementById(select.dataset.panel);
      panel.querySelectorAll(".variant").forEach((variant, place) => {
        variant.hidden = place !== Number(select.value);
      });
      drawing.hideTip();
      drawAll(panel);
    });
  }
  drawAll(document).then(() => { document.documentElement.dataset.charts = "drawn"; });
})();
