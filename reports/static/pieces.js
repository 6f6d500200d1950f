/* A large wall's people come in pieces, each a file that hands its list over here; the wall takes them together. */
"use strict";
window.RollcallPieces = [];
window.RollcallPiece = (people) => { window.RollcallPieces.push(...people); };
