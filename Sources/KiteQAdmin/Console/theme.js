// Runs before the first paint, so that a chosen theme does not flash. Not a module: modules wait for the document.
(function () {
  "use strict";
  try {
    const theme = localStorage.getItem("kiteq.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is forbidden here: the system's preference holds.
  }
})();
