/* A large wall's people come in pieces, each a file that hands its list over here; the wall takes them together. */
"use strict";
window.RollcallPieces = [];
window.RollcallArrived = 0; /* pieces, not people: whoever is forgotten leaves a piece without its being late */
window.RollcallPiece = (people) => { window.RollcallPieces.push(...people); window.RollcallArrived += 1; };
