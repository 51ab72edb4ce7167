"use strict";
// How a chart is drawn, on the dashboard and in the web app; those say which, and when.
const drawing = (() => {
  const tip = document.getElementById("tip");
  const hideTip = () => { tip.hidden = true; };

  // Everything that is shown goes through textContent: captions are other people's text.
  const showTip = (handler, event, item, value) => {
    if (value === null || value === undefined || value === "") {
      hideTip();
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

  const narrow = (config) => ({
    ...config,
    axis: { ...config.axis, labelLimit: 150, labelFontSize: 10.5 },
    axisTop: { ...config.axisTop, labelAngle: -40, labelAlign: "left" },
    style: { figure: { fontSize: 11, fontWeight: 600 }, count: { fontSize: 10 } },
    axisX: { ...config.axisX, tickCount: 4, labelOverlap: true },
    legend: { ...config.legend, columns: 1, labelFontSize: 11 },
  });

  const draw = async (place, spec, config) => {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "begun";
    await vegaEmbed(place, spec, {
      ast: true, // no eval: the pages' policies forbid it
      renderer: "svg",
      actions: false,
      defaultStyle: false,
      tooltip: showTip,
      config: place.clientWidth < 480 ? narrow(config) : config,
    });
    // The place itself is one picture with a name; its figures are in the table below it.
    for (const part of place.children) part.setAttribute("aria-hidden", "true");
    place.dataset.drawn = "yes";
  };

  addEventListener("scroll", hideTip, { passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  return { draw, hideTip };
})();
