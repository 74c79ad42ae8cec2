// Package internal holds the rooms that nobody outside this module can enter. It has no
// code of its own but the test that watches over the arrows between all rooms.
package internal
