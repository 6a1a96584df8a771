// What scrolls sideways can be reached by keyboard.
const scrollable = "pre, .formula, .drawing, .table-wrapper, div.cell-output, div.cell-output div";
function reach() {
  for (const element of document.querySelectorAll(scrollable)) {
    const scrolls = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
    if (scrolls) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  }
}
addEventListener("load", reach);
addEventListener("resize", reach);
document.addEventListener("toggle", reach, true);
