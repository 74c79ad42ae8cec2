package look

import (
	"embed"
	"html/template"
)

//go:embed pages
var pageFiles embed.FS

// sets are our templates, in each language.
var sets = func() map[Language]*template.Template {
	all := map[Language]*template.Template{}
	for _, l := range languages {
		all[l] = parse(l)
	}
	return all
}()

// parse reads them as they speak one language.
func parse(l Language) *template.Template {
	say := ours.In(l)
	return must(template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"say": say.Say, "count": say.Count, "show": show(l), "input": func(f Field) (template.HTML, error) { return show(l)(inputOf{f}) },
	}).ParseFS(pageFiles, "pages/*.html"))
}
