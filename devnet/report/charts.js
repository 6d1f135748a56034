// Unpacks Plotly, then draws what `charts` holds. Legends are HTML below each chart, so that they
// take no height from it and their words wrap.
(async function () {
  "use strict";
  var charts = JSON.parse(document.getElementById("charts").textContent);
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  // Fourteen that can be told apart; lines also differ in dash once each colour was taken.
  var light = ["#2457c5", "#c2410c", "#0f7a3d", "#9333ea", "#b8860b", "#0e7490", "#be185d",
    "#4d5563", "#65a30d", "#7c2d12", "#1e293b", "#f43f5e", "#06b6d4", "#a78bfa"];
  var night = ["#8fb4ff", "#ffa26b", "#5bd08b", "#d3a6ff", "#f2cf5e", "#67d5ea", "#ff9ac6",
    "#b4bbc8", "#bef264", "#fdba74", "#e2e8f0", "#fb7185", "#22d3ee", "#6366f1"];
  var dashes = ["solid", "dash", "dot", "dashdot"];

  async function unpacked() {
    var packed = document.getElementById("plotly").textContent.trim();
    var bytes = Uint8Array.from(atob(packed), function (sign) { return sign.charCodeAt(0); });
    var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    var script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.appendChild(script);
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function painted(traces) {
    var palette = dark.matches ? night : light;
    return traces.map(function (trace, place) {
      var made = JSON.parse(JSON.stringify(trace));
      var paint = palette[place % palette.length];
      made.marker = Object.assign({ color: paint }, made.marker);
      if (made.type === "scatter") {
        var dash = dashes[Math.floor(place / palette.length) % dashes.length];
        made.line = Object.assign({ color: paint, dash: dash }, made.line);
      }
      return made;
    });
  }

  function themed(layout) {
    var made = JSON.parse(JSON.stringify(layout));
    made.paper_bgcolor = made.plot_bgcolor = "rgba(0,0,0,0)";
    made.font = { color: colour("--text"), family: getComputedStyle(document.body).fontFamily };
    made.margin = { l: 56, r: layout.yaxis2 ? 56 : 12, t: 8, b: 44 };
    made.showlegend = false;
    Object.keys(made).forEach(function (key) {
      if (/^[xy]axis/.test(key)) {
        made[key].gridcolor = made[key].zerolinecolor = made[key].linecolor = colour("--line");
        made[key].automargin = true;
      }
    });
    return made;
  }

  function legend(place, traces) {
    var list = place.nextElementSibling;
    if (!list || list.className !== "legend") {
      list = document.createElement("ul");
      list.className = "legend";
      place.after(list);
    }
    list.replaceChildren();
    if (traces.length < 2) { return; }
    traces.forEach(function (trace, number) {
      var item = document.createElement("li"), button = document.createElement("button");
      var mark = document.createElement("i");
      mark.style.borderTopColor = (trace.line || trace.marker).color;
      mark.style.borderTopStyle =
        { dash: "dashed", dot: "dotted", dashdot: "dashed" }[(trace.line || {}).dash] || "solid";
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.append(mark, trace.name);
      button.addEventListener("click", function () {
        var shown = button.getAttribute("aria-pressed") === "true";
        button.setAttribute("aria-pressed", String(!shown));
        Plotly.restyle(place, { visible: !shown }, [number]);
      });
      item.append(button);
      list.append(item);
    });
  }

  function draw() {
    Object.keys(charts).forEach(function (id) {
      var place = document.getElementById(id);
      if (place) {
        var traces = painted(charts[id].data);
        Plotly.react(place, traces, themed(charts[id].layout), {
          responsive: true, displayModeBar: false,
        });
        legend(place, traces);
      }
    });
  }

  await unpacked();
  draw();
  dark.addEventListener("change", draw);
})();
