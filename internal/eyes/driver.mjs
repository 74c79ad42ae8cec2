// Drives one Chromium for one test process. Each line of standard input is an order in JSON
// with a number, each line of standard output the answer to one. At the end of the input the
// browser is closed.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const { modules, chromium: executablePath } = JSON.parse(process.env.MANDATED_EYES)
const require = createRequire(modules + '/driver.js')
const { chromium } = require('playwright-core')
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

const patience = 20_000 // milliseconds that one step may take

const browser = await chromium.launch({
	executablePath,
	args: [
		// No name leads anywhere, whoever asks for it: a page or Chromium itself.
		'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
		'--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync',
	],
})

const users = new Map(), tabs = new Map()

// A user has cookies, a language and a screen of his own, and as many tabs as he likes.
class User {
	constructor(context, script, zoom, media) {
		Object.assign(this, { context, script, zoom, media, elsewhere: [], arrivals: [], complaints: [] })
		context.setDefaultTimeout(patience)
		context.on('request', r => this.isHere(r.url()) || this.complain('a request to elsewhere: ' + r.url()))
	}

	static async open({ script, language, width, height, zoom, dark, forced, print }) {
		return new User(await browser.newContext({
			locale: language, ignoreHTTPSErrors: true,
			colorScheme: dark ? 'dark' : 'light', forcedColors: forced ? 'active' : 'none',
			// To a page, zoom is a smaller window with more dots in it.
			viewport: { width: Math.round(width / zoom), height: Math.round(height / zoom) }, deviceScaleFactor: zoom,
		}), script, zoom, print ? 'print' : 'screen')
	}

	isHere(url) {
		const { protocol, hostname } = new URL(url)
		return !protocol.startsWith('http') || hostname === '127.0.0.1' || hostname === 'localhost' || this.ends(url)
	}

	ends(url) { return this.elsewhere.some(prefix => url.startsWith(prefix)) }

	complain(what) { this.complaints.push(what) }
}

// A tab knows when its page has come to rest: nothing asked for that has not begun (pending),
// nothing begun that has not ended (loading).
class Tab {
	constructor(user, page, session) {
		Object.assign(this, { user, page, session, status: 0, documents: new Set(), pending: false, loading: false, rested: () => {} })
	}

	static async open(user) {
		const page = await user.context.newPage()
		const tab = new Tab(user, page, await user.context.newCDPSession(page))
		tab.listen()
		await tab.session.send('Page.enable')
		await tab.session.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] })
		await tab.scripts(user.script)
		return tab
	}

	listen() {
		const { page, session, user } = this
		page.on('popup', () => user.complain('a page opens a window'))
		page.on('dialog', d => { user.complain('a page opens a dialog: ' + d.message()); return d.dismiss() })
		page.on('pageerror', e => user.complain('an error in a script: ' + e.message))
		page.on('response', r => {
			if (!r.request().isNavigationRequest() || r.frame() !== page.mainFrame()) return
			this.status = r.status()
			this.documents.add(r.url())
		})
		page.on('console', m => {
			// That a page has another status than 200 is no mistake of the page.
			const status = m.text().startsWith('Failed to load resource') && this.documents.has(m.location().url)
			if (m.type() === 'error' && !status) user.complain(m.text())
		})
		session.on('Fetch.requestPaused', e => this.paused(e).catch(() => {})) // the tab is gone
		session.on('Page.frameRequestedNavigation', () => { this.pending = true })
		session.on('Page.frameClearedScheduledNavigation', () => this.rest())
		session.on('Page.frameStartedNavigating', () => { this.pending = false; this.loading = true })
		session.on('Page.frameStoppedLoading', () => { this.loading = false; this.rest() })
		session.on('Page.navigatedWithinDocument', () => { this.pending = this.loading = false; this.rest() })
	}

	// The network ends here: what goes elsewhere is remembered where it was expected, and
	// refused where it was not.
	async paused({ requestId, request, resourceType }) {
		const { session, user } = this
		if (!user.isHere(request.url)) return session.send('Fetch.failRequest', { requestId, errorReason: 'AddressUnreachable' })
		if (!user.ends(request.url)) return session.send('Fetch.continueRequest', { requestId })
		if (resourceType === 'Document') user.arrivals.push({ url: request.url, method: request.method, body: request.postData ?? '' })
		await session.send('Fetch.fulfillRequest', {
			requestId, responseCode: 200,
			responseHeaders: [{ name: 'Content-Type', value: 'text/html' }, { name: 'Content-Security-Policy', value: "default-src 'none'" }],
			body: Buffer.from('<!DOCTYPE html><html lang="en"><title>Elsewhere</title><h1>Elsewhere</h1></html>').toString('base64'),
		})
	}

	// scripts lets scripts of pages run or not. Playwright's own switch could not be turned
	// for axe-core, which is to see what somebody without scripts sees.
	scripts(on) { return this.session.send('Emulation.setScriptExecutionDisabled', { value: !on }) }

	rest() { if (!this.pending && !this.loading) this.rested() }

	// settle waits until what a step has set in motion has come to rest. Round trips through
	// the page's own thread first let it begin: a form is sent, or forbidden, in a task of its
	// own that the click leaves behind.
	async settle() {
		for (let i = 0; i < 3; i++) {
			await this.session.send('Runtime.evaluate', { expression: '0' }).catch(gone => {
				if (!gone.message.includes('navigated or closed')) throw gone // the step has led elsewhere already
			})
		}
		if (!this.pending && !this.loading) return
		let timer
		await new Promise((resolve, reject) => {
			this.rested = resolve
			timer = setTimeout(() => reject(new Error('the page does not come to rest')), patience)
		}).finally(() => clearTimeout(timer))
	}

	// named finds the one thing to press that has this name, or else has it in its name.
	async named(what) {
		if (what.startsWith('css=')) return this.page.locator(what)
		for (const exact of [true, false]) {
			const all = ['button', 'link', 'radio', 'checkbox'].map(role => this.page.getByRole(role, { name: what, exact }))
			const found = all.reduce((a, b) => a.or(b), this.page.locator('summary').filter({ hasText: what }))
			const n = await found.count()
			if (n === 1) return found
			if (n > 1) throw new Error(`${n} things to press are called ${JSON.stringify(what)}`)
		}
		throw new Error(`nothing to press is called ${JSON.stringify(what)}`)
	}

	async evaluate(expression, more = {}) {
		const { result, exceptionDetails } = await this.session.send('Runtime.evaluate', { expression, returnByValue: true, ...more })
		if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
		return more.returnByValue === false ? result.objectId : result.value
	}

	// axe looks from a world of its own, where neither the page's scripts nor its policy count.
	async axe(tags) {
		await this.scripts(true)
		try {
			const { frameTree } = await this.session.send('Page.getFrameTree')
			const { executionContextId: contextId } = await this.session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id })
			await this.evaluate(axe, { contextId, returnByValue: false })
			return await this.evaluate(
				`axe.run(document, ${JSON.stringify({ runOnly: tags, resultTypes: ['violations'] })}).then(r => r.violations.flatMap(
					v => v.nodes.map(n => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary)))`,
				{ contextId, awaitPromise: true })
		} finally {
			await this.scripts(this.user.script)
		}
	}

	// focus tells who has the focus, and how its place looks with the focus and without.
	async focus() {
		const objectId = await this.evaluate('document.activeElement', { returnByValue: false })
		const { nodes } = await this.session.send('Accessibility.getPartialAXTree', { objectId, fetchRelatives: false })
		const box = await this.evaluate(`(() => {
			const b = document.activeElement.getBoundingClientRect()
			return { x: b.x, y: b.y, width: b.width, height: b.height, body: document.activeElement === document.body,
				left: scrollX, top: scrollY, wide: innerWidth, high: innerHeight }
		})()`)
		if (box.body) return { name: '' }
		const name = nodes[0]?.name?.value ?? '', around = 8
		const x = Math.max(0, box.x - around), y = Math.max(0, box.y - around)
		const width = Math.min(box.wide, box.x + box.width + around) - x, height = Math.min(box.high, box.y + box.height + around) - y
		if (width <= 0 || height <= 0) return { name, box }
		const clip = { x: x + box.left, y: y + box.top, width, height, scale: this.user.zoom }
		const shown = await this.shot({ clip })
		await this.evaluate('void (globalThis.focusedBefore = document.activeElement, focusedBefore.blur())')
		const hidden = await this.shot({ clip })
		await this.evaluate('void (focusedBefore.focus({ focusVisible: true, preventScroll: true }), delete globalThis.focusedBefore)')
		return { name, box, around: width, shown, hidden }
	}

	async shot(options) { return (await this.session.send('Page.captureScreenshot', { format: 'png', ...options })).data }
}

const look = `({
	title: document.title, language: document.documentElement.lang, text: document.body ? document.body.innerText : '',
	width: document.scrollingElement.scrollWidth, window: innerWidth,
})`

// What can be ordered. A step is done when the page has come to rest.
const orders = {
	async open(o) { users.set(o.user, await User.open(o)) },
	async close({ user }) { await user.context.close() },
	async tab({ user, tab }) { tabs.set(tab, await Tab.open(user)) },
	async elsewhere({ user, prefix }) { user.elsewhere.push(prefix) },
	async arrivals({ user }) { return user.arrivals },

	async go({ tab, url }) {
		await tab.page.goto(url)
		await tab.page.emulateMedia({ media: tab.user.media }) // going somewhere may undo it
	},
	async back({ tab }) { await tab.page.goBack() },
	async reload({ tab }) { await tab.page.reload() },
	async wait({ tab, heading }) { await tab.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor() },
	async press({ tab, key }) { await tab.page.keyboard.press(key) },
	async type({ tab, text }) { await tab.page.keyboard.type(text) },
	async click({ tab, what, times }) { await (await tab.named(what)).click({ clickCount: times, noWaitAfter: true }) },
	async fill({ tab, what, text }) { await tab.page.getByLabel(what).fill(text) },
	async upload({ tab, what, name, text }) {
		await tab.page.getByLabel(what).setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })
	},

	async unfold({ tab }) { await tab.evaluate(`document.querySelectorAll('details').forEach(d => { d.open = true })`) },

	async look({ tab }) { return { ...await tab.evaluate(look), url: tab.page.url(), status: tab.status } },
	async texts({ tab, selector }) { return tab.page.locator(selector).allInnerTexts() },
	async value({ tab, what }) { return tab.page.getByLabel(what).inputValue() },
	async checked({ tab, what }) { return (await tab.named(what)).isChecked() },
	async focus({ tab }) { return tab.focus() },
	async axe({ tab, tags }) { return tab.axe(tags) },
	async shot({ tab }) {
		const { cssContentSize: size } = await tab.session.send('Page.getLayoutMetrics')
		return tab.shot({ captureBeyondViewport: true, clip: { ...size, scale: tab.user.zoom } })
	},
}

async function obey({ order, ...o }) {
	if (order !== 'open') o.user = users.get(o.user)
	const tab = order === 'tab' ? undefined : tabs.get(o.tab)
	if (tab) o.tab = tab
	const value = await orders[order](o)
	if (tab) await tab.settle()
	return value
}

// In a user's answers stands whatever went wrong since his last one.
async function answer(line) {
	const { number, ...o } = JSON.parse(line)
	const out = { number }
	try {
		out.value = await obey(o) ?? null
	} catch (e) {
		out.error = e.message
	}
	out.complaints = users.get(o.user)?.complaints.splice(0) ?? []
	process.stdout.write(JSON.stringify(out) + '\n')
}

createInterface({ input: process.stdin }).on('line', answer).on('close', async () => {
	await browser.close()
	process.exit()
})
