package look

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"time"
)

//go:generate go run take.go

//go:embed css/*.css
var styleFiles embed.FS

// style is the whole style sheet: other people's parts first, then our values for their
// tokens, then what they have no part for.
var style = bytes.Join([][]byte{
	must(styleFiles.ReadFile("css/utrecht.css")), must(styleFiles.ReadFile("css/tokens.css")), must(styleFiles.ReadFile("css/look.css")),
}, []byte("\n"))

// StylePath is the address of the style sheet on every site with pages of ours. It is another
// address when the style is another, so browsers keep it for good.
var StylePath = func() string {
	sum := sha256.Sum256(style)
	return "/look/" + hex.EncodeToString(sum[:8]) + ".css"
}()

// Style serves the style sheet at StylePath. It is the same for everybody and says nothing of
// anybody.
func Style(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(style))
}
