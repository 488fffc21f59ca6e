// Keeps a page fresh: loads it anew every few seconds and takes over what has changed. Without this
// script every page works; it is then as old as its clock says.
"use strict";

(() => {
  const main = document.getElementById("main");
  const every = Number(main.dataset.live || 0) * 1000;
  let paused = false;

  // Times that run: a cooldown, a route that ends.
  const words = (seconds) => {
    const rest = Math.max(0, Math.round(seconds));
    const steps = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const at = steps.findIndex(([unit]) => rest >= unit);
    if (at < 0) return "now";
    const [unit, name] = steps[at];
    const first = Math.floor(rest / unit);
    const next = steps[at + 1];
    const second = next ? Math.floor((rest % unit) / next[0]) : 0;
    return "in " + first + " " + name + (second ? " " + second + " " + next[1] : "");
  };
  const tick = () => {
    for (const time of document.querySelectorAll("time[data-until]")) {
      const left = (Date.parse(time.dateTime) - Date.now()) / 1000;
      time.textContent = words(left);
    }
  };

  // Somebody who types, has opened something, or has marked a text is left alone.
  const busy = () => {
    const active = document.activeElement;
    const typing = active && active !== main && main.contains(active) && active.matches("input, select, textarea");
    return typing || main.querySelector("details[open]") || String(document.getSelection()).length > 0;
  };

  const load = async () => {
    if (paused || document.hidden || busy()) return;
    let answer;
    try {
      answer = await fetch(location.href, { headers: { accept: "text/html" } });
    } catch {
      main.classList.add("stale");
      return;
    }
    if (answer.redirected && new URL(answer.url).pathname === "/ui/login") {
      location.reload();
      return;
    }
    if (!answer.ok || busy() || paused) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const other = fresh.getElementById("main");
    if (!other) return;
    const inside = main.contains(document.activeElement) ? place(document.activeElement) : "";
    const scrolled = [...main.querySelectorAll(".wide")].map((each) => each.scrollLeft);
    for (const said of other.querySelectorAll(".said")) said.remove();
    main.replaceChildren(...other.childNodes);
    [...main.querySelectorAll(".wide")].forEach((each, at) => { each.scrollLeft = scrolled[at] || 0; });
    const again = inside && main.querySelector(inside);
    if (again) again.focus({ preventScroll: true });
    ready();
    document.dispatchEvent(new CustomEvent("fresh"));
  };

  // Where the focus was: by the address of a link, or by the pause button.
  const place = (element) => {
    if (element.matches("button.pause")) return "button.pause";
    const link = element.getAttribute("href");
    return link ? 'a[href="' + CSS.escape(link) + '"]' : "";
  };

  const ready = () => {
    const button = main.querySelector("button.pause");
    if (button) {
      button.hidden = false;
      show(button);
      button.addEventListener("click", () => { paused = !paused; show(button); });
    }
    tick();
  };
  const show = (button) => {
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "Go on with updates" : "Pause updates";
  };

  ready();
  setInterval(tick, 1000);
  if (every) {
    setInterval(load, every);
    document.addEventListener("visibilitychange", load);
  }
})();
