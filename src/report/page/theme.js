// Colours of the charts, from the style sheet: they follow light and dark, and paper is light.

const theme = {
  color: (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(),
  hue: (index) => theme.color(`hue-${index % 8}`),
  tenth: (index) => theme.color(`tenth-${index}`),
  faint: (color, alpha) => color + Math.round(255 * alpha).toString(16).padStart(2, "0"),

  /** Calls `redraw` when the colours change. */
  watch(redraw) {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    const paper = (on) => () => {
      document.documentElement.classList.toggle("print", on);
      redraw();
    };
    addEventListener("beforeprint", paper(true));
    addEventListener("afterprint", paper(false));
  },
};
