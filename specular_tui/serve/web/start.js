// Tells the terminal where its websocket is, whatever name, port and scheme this page was reached under.
"use strict";
const terminal = document.getElementById("terminal");
history.replaceState(null, "", location.pathname);
const socket = new URL("ws", location.href);
socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";
terminal.dataset.sessionWebsocketUrl = socket.href;
document.getElementById("again").addEventListener("click", () => location.reload());
// As many columns as the other screens of this program want, where the window is small.
const wide = Math.floor(window.innerWidth / 100 / 0.6);
terminal.dataset.fontSize = String(Math.max(10, Math.min(16, wide)));
// What is typed goes to the terminal, from the first key on.
const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
const connected = new MutationObserver(() => {
  if (terminal.classList.contains("-connected")) {
    connected.disconnect();
    window.addEventListener("focus", focus);
    focus();
  }
});
connected.observe(terminal, { attributeFilter: ["class"] });
