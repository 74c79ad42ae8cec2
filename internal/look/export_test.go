package look

// Ours are the words of the look itself.
var Ours = ours
