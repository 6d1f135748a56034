(function () {
  "use strict";
  var charts = JSON.parse(document.getElementById("charts").textContent);
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var light = ["#2457c5", "#c2410c", "#0f7a3d", "#9333ea", "#b8860b", "#0e7490", "#be185d", "#4d5563"];
  var night = ["#8fb4ff", "#ffa26b", "#5bd08b", "#d3a6ff", "#f2cf5e", "#67d5ea", "#ff9ac6", "#b4bbc8"];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function themed(layout) {
    var made = JSON.parse(JSON.stringify(layout));
    made.paper_bgcolor = made.plot_bgcolor = "rgba(0,0,0,0)";
    made.font = { color: colour("--text"), family: getComputedStyle(document.body).fontFamily };
    made.colorway = dark.matches ? night : light;
    made.margin = { l: 64, r: layout.yaxis2 ? 60 : 16, t: 8, b: 48 };
    made.legend = { orientation: "h", y: -0.25 };
    Object.keys(made).forEach(function (key) {
      if (/^[xy]axis/.test(key)) {
        made[key].gridcolor = made[key].zerolinecolor = made[key].linecolor = colour("--line");
        made[key].automargin = true;
      }
    });
    return made;
  }

  function draw() {
    Object.keys(charts).forEach(function (id) {
      var place = document.getElementById(id);
      if (place) {
        Plotly.react(place, charts[id].data, themed(charts[id].layout), {
          responsive: true, displayModeBar: false,
        });
      }
    });
  }

  draw();
  dark.addEventListener("change", draw);
})();
