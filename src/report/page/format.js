// Numbers, times and sizes for people.

const format = {
  count: (value) => Math.round(value).toLocaleString("en-US"),

  /** Four significant digits: 0.02134, 1,234, 3.2e-6. */
  number(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size < 1e-4 || size >= 1e7) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
    return value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
  },

  percent: (share) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)}\u00a0%`,

  /** "12k": for axes. */
  short(value) {
    if (Math.abs(value) < 10000) return format.number(value);
    return value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 }).replace("K", "k");
  },

  bytes(value) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      ++unit;
    }
    return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
  },

  duration(seconds) {
    if (!Number.isFinite(seconds)) return "–";
    if (seconds === 0) return "0 s";
    if (seconds < 0.0995) return `${(1000 * seconds).toPrecision(2)} ms`;
    if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
    const s = Math.round(seconds);
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  },

  /** Unix time, in UTC: a report is read anywhere. */
  moment(unix_s) {
    if (!unix_s) return "–";
    return new Date(1000 * unix_s).toISOString().slice(0, 16).replace("T", " ") + " UTC";
  },

  plural: (count, noun) => `${format.count(count)} ${noun}${count === 1 ? "" : "s"}`,
};
