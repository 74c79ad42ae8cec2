package notices

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/pkg/register"
)

const (
	// takenAtOnce is how many letters one node takes.
	takenAtOnce = 50
	// ours is for how long a letter that was taken is left to who has taken it, and sending is
	// how much of that he sends for: so that he has stopped when somebody else begins.
	ours    = 15 * time.Minute
	sending = 10 * time.Minute
	// tried is for how long a letter is tried.
	tried = 3 * 24 * time.Hour
	// settling is how long it may take to write down what became of letters, also when the
	// daemon stops.
	settling = 30 * time.Second
)

// pause is how long a letter waits after so many tries: a minute, then four times as long each
// time, up to six hours.
func pause(tries int) time.Duration {
	const most = 6 * time.Hour
	d := time.Minute
	for range tries - 1 {
		if d *= 4; d >= most {
			return most
		}
	}
	return d
}

// deliver tries a few letters that are due, and tells whether there may be more.
func (p *Post) deliver(ctx context.Context) (more bool, err error) {
	taken, err := p.take(ctx)
	if err != nil || len(taken) == 0 {
		return false, err
	}
	letters, fates, err := p.compose(ctx, taken)
	if err == nil {
		sendingCtx, done := context.WithTimeout(ctx, sending)
		outcomes := p.Sender.Send(sendingCtx, letters)
		done()
		for i, j := 0, 0; i < len(fates); i++ {
			if fates[i] == nil {
				fates[i] = outcomes[j]
				j++
			}
		}
	}
	if err != nil { // nothing was sent
		for i := range fates {
			fates[i] = err
		}
	}
	settlingCtx, done := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer done()
	return true, errors.Join(err, p.settle(settlingCtx, taken, fates), p.trouble(taken, fates), ctx.Err())
}

// take takes letters, so that no other node sends them now.
func (p *Post) take(ctx context.Context) (taken []register.Letter, err error) {
	now := p.Register.Now()
	open := 0
	if err := p.Register.Read(ctx, func(s *register.Snapshot) error {
		list, err := s.OpenLetters(now, 1)
		open = len(list)
		return err
	}); err != nil || open == 0 {
		return nil, err
	}
	_, err = p.Register.Change(ctx, register.Author{Who: "register", Why: "letters are sent"}, func(t *register.Tx) (err error) {
		if taken, err = t.Snapshot().OpenLetters(now, takenAtOnce); err != nil {
			return err
		}
		for i := range taken {
			l := &taken[i]
			l.State, l.Tries, l.Due = register.LetterTaken, l.Tries+1, t.Now().Add(ours)
			if err := t.SetLetter(*l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// errNobody: the reader is not appointed any more, or wants no letters any more.
var errNobody = errors.New("nobody is there to get the letter")

// compose writes the letters that were taken. A fate is nil for those that are among them, and
// else why not.
func (p *Post) compose(ctx context.Context, taken []register.Letter) (letters []mail.Letter, fates []error, err error) {
	fates = make([]error, len(taken))
	for i, l := range taken {
		letter, err := p.letter(ctx, l)
		switch {
		case errors.Is(err, errNobody):
			fates[i] = err
		case err != nil:
			return nil, fates, fmt.Errorf("writing letter %d: %w", l.ID, err)
		default:
			letters = append(letters, letter)
		}
	}
	return letters, fates, nil
}

// settle writes down what became of letters. One that somebody else has taken meanwhile, since
// we were too slow, is his.
func (p *Post) settle(ctx context.Context, taken []register.Letter, fates []error) error {
	var settled []register.LetterState
	_, err := p.Register.Change(ctx, register.Author{Who: "register", Why: "letters were sent or not"}, func(t *register.Tx) error {
		settled = nil
		for i, l := range taken {
			now, err := t.Snapshot().Letter(l.ID)
			if err != nil {
				return err
			}
			if now.State != register.LetterTaken || now.Tries != l.Tries {
				continue
			}
			next := after(l, fates[i], t.Now())
			if err := t.SetLetter(next); err != nil {
				return err
			}
			settled = append(settled, next.State)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing down which letters were sent: %w", err)
	}
	for _, state := range settled {
		p.metrics.count(state)
	}
	return nil
}

// after is a letter after a try.
func after(l register.Letter, fate error, now time.Time) register.Letter {
	l.Due = now
	switch {
	case fate == nil:
		l.State = register.LetterSent
	case errors.Is(fate, mail.ErrRefused):
		l.State = register.LetterRefused
	case errors.Is(fate, errNobody), now.Sub(l.At) >= tried:
		l.State = register.LetterGivenUp
	case errors.Is(fate, context.Canceled): // we are stopping: it is nobody's fault
		l.State = register.LetterWaiting
	default:
		l.State, l.Due = register.LetterWaiting, now.Add(pause(l.Tries))
	}
	return l
}

// trouble is what is wrong beyond a single letter. What is wrong with one the log is told
// here: neither has an address in it.
func (p *Post) trouble(taken []register.Letter, fates []error) (trouble error) {
	for i, fate := range fates {
		switch {
		case fate == nil, errors.Is(fate, errNobody), errors.Is(fate, context.Canceled):
		case errors.Is(fate, mail.ErrRefused):
			p.Log.Warn("a letter is refused for good", "letter", int64(taken[i].ID), "appointment", int64(taken[i].Appointment), "cause", fate)
		default:
			trouble = fate
		}
	}
	return trouble
}
