/* What scripts say, in the language that the pages speak: `RollcallSentences` is written before this text, from
   tasks/language/, so that no script holds a sentence of its own. Loaded before every script that says something. */
"use strict";
window.RollcallTell = (key, ...given) => {
  const number = typeof given[0] === "number" ? given[0] : null;
  const words = { n: number === null ? "" : number.toLocaleString(), ...given.find((one) => typeof one === "object") };
  const said = window.RollcallSentences[key];
  const form = typeof said === "string" ? said : said[number === 1 ? "one" : "many"];
  return form.replace(/\{(\w+)\}/g, (_, name) => words[name]);
};
