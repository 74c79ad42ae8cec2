package eyes

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// focus is who has the focus, and how its place looks with it and without.
type focus struct {
	Name          string
	Box           struct{ Width, Height, Wide float64 } // in the page's pixels; Wide is the window
	Around        float64                               // how wide the pictures are, in the page's pixels
	Shown, Hidden []byte                                // PNG; nil: it is outside of the window
}

// Focused is the name of what has the focus, as those hear it who do not see it; "" if
// nothing has. It fails the test where the focus cannot be seen: where the picture does not
// change, or not enough, when it goes away. For that it goes away for a moment, of which
// scripts of the page hear.
func (p *Page) Focused() string {
	p.b.t.Helper()
	var f focus
	p.order("focus", map[string]any{}, &f)
	if f.Box.Wide == 0 {
		return ""
	}
	if err := f.seen(); err != nil {
		p.b.t.Errorf("the focus on %q: %v", f.Name, err)
	}
	return f.Name
}

// longestWay is how many stops on the way of the focus TabTo tries.
const longestWay = 100

// TabTo presses Tab until what has this name has the focus. Everything on the way must show
// that it has the focus, too.
func (p *Page) TabTo(name string) {
	p.b.t.Helper()
	for range longestWay {
		p.Press("Tab")
		if p.Focused() == name {
			return
		}
	}
	p.b.t.Fatalf("by Tab nobody comes to %q", name)
}

// seen tells what is wrong with how the focus shows itself. As much must change as a line of
// 2 pixels around the element, with a contrast of 3 to 1 (WCAG 2.2, 2.4.13); soft edges and
// round corners may take a quarter of it.
func (f *focus) seen() error {
	if f.Shown == nil {
		return fmt.Errorf("it is outside of the window")
	}
	shown, err := png.Decode(bytes.NewReader(f.Shown))
	if err != nil {
		return err
	}
	hidden, err := png.Decode(bytes.NewReader(f.Hidden))
	if err != nil {
		return err
	}
	if shown.Bounds() != hidden.Bounds() {
		return fmt.Errorf("the two pictures are not of the same place")
	}
	dots := float64(shown.Bounds().Dx()) / f.Around // of the screen in a pixel of the page
	changed, wanted := float64(changes(shown, hidden))/(dots*dots), 0.75*2*2*(f.Box.Width+f.Box.Height)
	if changed < wanted {
		return fmt.Errorf("it can hardly be seen: %.0f pixels change, and a line around it has %.0f", changed, wanted)
	}
	return nil
}

// changes counts the pixels that change with a contrast of 3 to 1.
func changes(a, b image.Image) (n int) {
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if contrast(a.At(x, y), b.At(x, y)) >= 3 {
				n++
			}
		}
	}
	return n
}

// contrast is WCAG's contrast ratio, from 1 to 21.
func contrast(a, b color.Color) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// luminance is WCAG's relative luminance, from 0 for black to 1 for white.
func luminance(c color.Color) float64 {
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
