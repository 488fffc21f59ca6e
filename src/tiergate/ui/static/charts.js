// Draws cost by day as stacked bars with uPlot. The same numbers stand in a table under each chart.
"use strict";

(() => {
  const usd = (value) => "$" + value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let drawn = [];

  const draw = (place) => {
    const { days, series } = JSON.parse(place.dataset.chart);
    const at = days.map((_, index) => index);
    // Stacked: the last series is drawn first, as high as all of them together.
    const sums = [];
    series.forEach((each, index) => {
      sums.push(each.usd.map((value, day) => value + (index ? sums[index - 1][day] : 0)));
    });
    const bars = uPlot.paths.bars({ size: [0.75, 48], gap: 1 });
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    const chart = new uPlot(
      {
        width: place.clientWidth,
        height: 210,
        legend: { show: false },
        cursor: { y: false, drag: { setScale: false } },
        scales: { x: { time: false, range: [-0.6, days.length - 0.4] }, y: { range: (u, low, high) => [0, high * 1.08 || 1] } },
        axes: [
          {
            stroke: colour("--soft"),
            grid: { show: false },
            ticks: { show: false },
            size: 28,
            values: (u, splits) => splits.map((v) => (Number.isInteger(v) && days[v] ? days[v].slice(5) : "")),
            incrs: [1, 2, 5, 7, 14, 30],
            space: 48,
          },
          {
            stroke: colour("--soft"),
            grid: { stroke: colour("--line"), width: 1 },
            ticks: { show: false },
            values: (u, splits) => splits.map(usd),
            size: 64,
          },
        ],
        series: [
          {},
          ...series.map((each, index) => index).reverse().map((index) => ({
            label: series[index].name,
            fill: colour("--c" + (index + 1)),
            stroke: "transparent",
            width: 0,
            paths: bars,
            points: { show: false },
          })),
        ],
        hooks: {
          setCursor: [
            (u) => {
              const day = u.cursor.idx;
              tip.hidden = day == null || u.cursor.left < 0;
              if (tip.hidden) return;
              const lines = series.filter((each) => each.usd[day]).map((each) => each.name + "  " + usd(each.usd[day]));
              tip.textContent = [days[day], ...lines].join("\n");
              const left = Math.min(u.cursor.left + 12, u.over.clientWidth - tip.offsetWidth);
              tip.style.left = Math.max(0, left) + "px";
              tip.style.top = "8px";
            },
          ],
        },
      },
      [at, ...sums.slice().reverse()],
      place,
    );
    chart.over.append(tip);
    drawn.push([place, chart]);
  };

  const all = () => {
    for (const [, chart] of drawn) chart.destroy();
    drawn = [];
    for (const place of document.querySelectorAll("[data-chart]")) draw(place);
  };

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => drawn.forEach(([place, chart]) => chart.setSize({ width: place.clientWidth, height: 210 })), 100);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  document.addEventListener("fresh", all);
  all();
})();
