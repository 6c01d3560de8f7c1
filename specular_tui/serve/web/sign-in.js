// The token may stand behind the # of the address: that part a browser sends to nobody. It leaves the history too.
"use strict";
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", location.pathname);
  document.getElementById("token").value = token;
  document.forms[0].submit();
}
