"use strict";
// Runs in the head, so that the page never flashes in the wrong colours.
(() => {
  const names = ["auto", "light", "dark"];
  const root = document.documentElement;
  const stored = () => {
    // Some browsers refuse storage to files.
    try { return localStorage.getItem("afterpost-theme"); } catch { return null; }
  };
  const apply = (name) => {
    if (name === "auto") delete root.dataset.theme;
    else root.dataset.theme = name;
  };
  let name = names.includes(stored()) ? stored() : "auto";
  apply(name);
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const label = button.querySelector("span");
    label.textContent = name;
    button.hidden = false;
    button.addEventListener("click", () => {
      name = names[(names.indexOf(name) + 1) % names.length];
      apply(name);
      label.textContent = name;
      try { localStorage.setItem("afterpost-theme", name); } catch { /* for this visit only */ }
    });
  });
})();
