"use strict";
(() => {
  const { config, specs } = JSON.parse(document.getElementById("charts").textContent);
  const tip = document.getElementById("tip");
  const drawn = new Map();

  // Everything that is shown goes through textContent: captions are other people's text.
  const showTip = (handler, event, item, value) => {
    if (value === null || value === undefined || value === "") {
      tip.hidden = true;
      return;
    }
    const list = document.createElement("dl");
    for (const [name, text] of Object.entries(value)) {
      if (text === "null" || text === "undefined") continue;
      const term = list.appendChild(document.createElement("dt"));
      const told = list.appendChild(document.createElement("dd"));
      term.textContent = name;
      told.appendChild(document.createElement("bdi")).textContent = text;
    }
    tip.replaceChildren(list);
    tip.hidden = false;
    const room = 12;
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + room, innerWidth - box.width - room);
    const below = event.clientY + room;
    const top = below + box.height > innerHeight ? event.clientY - box.height - room : below;
    tip.style.setProperty("left", `${Math.max(room, left)}px`);
    tip.style.setProperty("top", `${Math.max(room, top)}px`);
  };

  const narrow = {
    ...config,
    axis: { ...config.axis, labelLimit: 150, labelFontSize: 10.5 },
    axisTop: { ...config.axisTop, labelAngle: -40, labelAlign: "left" },
    style: { figure: { fontSize: 11, fontWeight: 600 }, count: { fontSize: 10 } },
    axisX: { ...config.axisX, tickCount: 4, labelOverlap: true },
    legend: { ...config.legend, columns: 1, labelFontSize: 11 },
  };

  const draw = async (place) => {
    const key = place.dataset.chart;
    if (drawn.has(key) || !specs[key]) return;
    drawn.set(key, null);
    const options = {
      ast: true, // no eval: the page's policy forbids it
      renderer: "svg",
      actions: false,
      defaultStyle: false,
      tooltip: showTip,
      config: place.clientWidth < 480 ? narrow : config,
    };
    const result = await vegaEmbed(place, specs[key], options);
    drawn.set(key, result.view);
    // The place itself is one picture with a name; its figures are in the table below it.
    for (const part of place.children) part.setAttribute("aria-hidden", "true");
    place.dataset.drawn = "yes";
  };

  const drawAll = async (root) => {
    for (const place of root.querySelectorAll(".variant:not([hidden]) [data-chart]")) {
      await draw(place);
    }
  };

  for (const select of document.querySelectorAll("select[data-panel]")) {
    select.addEventListener("change", () => {
      const panel = document.getElementById(select.dataset.panel);
      panel.querySelectorAll(".variant").forEach((variant, place) => {
        variant.hidden = place !== Number(select.value);
      });
      tip.hidden = true;
      drawAll(panel);
    });
  }
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
  drawAll(document).then(() => { document.documentElement.dataset.charts = "drawn"; });
})();
