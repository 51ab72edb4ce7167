"use strict";
// Everything works without this file. With it charts are drawn, parts of pages are exchanged in
// place, and answers are shown while they are written. All texts go through textContent.
(() => {
  const said = document.getElementById("said");
  const config = JSON.parse(document.getElementById("tip").dataset.config || "null");
  const page = document.documentElement;

  const isShown = (place) => {
    const variant = place.closest(".variant");
    return !variant || getComputedStyle(variant).display !== "none";
  };

  const drawAll = async (root) => {
    page.dataset.charts = "begun";
    for (const place of window.vegaEmbed && config ? root.querySelectorAll("[data-spec]") : []) {
      if (isShown(place)) await drawing.draw(place, JSON.parse(place.dataset.spec), config);
    }
    page.dataset.charts = "drawn";
  };

  document.addEventListener("change", (event) => {
    const select = event.target.closest("select[data-panel]");
    if (select) {
      const panel = document.getElementById(select.dataset.panel);
      panel.querySelectorAll(".variant").forEach((variant, place) => {
        variant.classList.toggle("chosen", place === Number(select.value));
        variant.classList.toggle("passed", place !== Number(select.value));
      });
      drawing.hideTip();
      drawAll(panel);
      return;
    }
    // A filter shows its result at once; its button is for browsers without scripts.
    const filters = event.target.closest("form.filters[data-hx-boost]");
    if (filters) filters.requestSubmit();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      source.select();
      document.execCommand("copy");
    }
    said.textContent = "The prompt is copied.";
    button.textContent = "Copied";
  });

  // What had the focus has it again after its part of the page was exchanged.
  let focused = "";
  document.addEventListener("htmx:before:request", () => {
    focused = document.activeElement?.id || document.activeElement?.name || "";
    drawing.hideTip();
  });
  document.addEventListener("htmx:after:swap", () => {
    drawAll(document);
    const again = focused && (document.getElementById(focused)
      || document.querySelector(`.filters [name="${CSS.escape(focused)}"]`));
    if (again && !again.disabled) again.focus({ preventScroll: true });
    else document.getElementById("main")?.focus({ preventScroll: true });
    said.textContent = document.getElementById("progress")?.textContent || document.title;
  });

  const talk = document.getElementById("chat");
  if (talk?.dataset.streams) {
    const place = document.getElementById("talk");
    const form = document.getElementById("ask");
    const messages = [];
    const add = (tag, name, text) => {
      const node = place.appendChild(document.createElement(tag));
      node.className = name;
      node.textContent = text;
      place.scrollTop = place.scrollHeight;
      return node;
    };
    const bubble = (role, name) => {
      const box = add("div", `message ${role}`, "");
      const who = box.appendChild(document.createElement("p"));
      who.className = "who";
      who.textContent = name;
      const text = box.appendChild(document.createElement("p"));
      text.className = "text";
      return text;
    };
    const take = {
      text: (data, answer) => { answer.textContent += data.text; },
      tool: (data) => add("p", "sources",
        `looked up ${data.name.replaceAll("_", " ")}: ${data.error || data.source}`
        + (data.n === null ? "" : ` · ${data.n} rows`)),
      prompt: (data) => add("p", "notice bad", `${data.reason} The prompt below can be copied instead.`),
      sources: (data) => {
        if (data.unsourced_figures.length) {
          add("p", "notice bad", `Not found in the sources: ${data.unsourced_figures.join(", ")}.`);
        }
      },
      error: (data) => add("p", "notice bad", data.message),
      done: () => { talk.dataset.answered = String(messages.length); },
    };
    const ask = async (question) => {
      bubble("user", "You").textContent = question;
      messages.push({ role: "user", content: question });
      const answer = bubble("assistant", "Claude");
      const { account, contentId, planId, purpose } = talk.dataset;
      const response = await fetch("/chat/stream", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          account, purpose, messages, content_id: contentId || null, plan_id: planId || null,
        }),
      });
      if (!response.ok) {
        add("p", "notice bad", `The answer did not come (${response.status}).`);
        return;
      }
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        rest += decoder.decode(value, { stream: true });
        const parts = rest.split("\n\n");
        rest = parts.pop();
        for (const part of parts) {
          const kind = /^event: (\w+)$/m.exec(part)?.[1];
          const data = /^data: (.*)$/m.exec(part)?.[1];
          if (kind in take && data) take[kind](JSON.parse(data), answer);
        }
      }
      messages.push({ role: "assistant", content: answer.textContent || "(no answer)" });
      document.getElementById("conversation").value = answer.textContent;
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const field = form.elements.message;
      const button = form.querySelector("button");
      const question = field.value.trim();
      if (!question) return;
      field.value = "";
      button.disabled = true;
      try {
        await ask(question);
      } catch {
        add("p", "notice bad", "The connection broke off.");
      }
      button.disabled = false;
      field.focus();
    });
  }

  drawAll(document);
})();
