// What pages gain where scripts run; all of them are complete without.
"use strict";
{
  // Times in the reader's own zone, where that is another one than the page's; and how long ago the last day's were.
  const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const hours = (at - Date.now()) / 3600e3;
    const local = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    time.title = Math.abs(hours) < 48 ? `${local} (your time), ${ago.format(Math.round(hours), "hour")}` : `${local} (your time)`;
  }
}
