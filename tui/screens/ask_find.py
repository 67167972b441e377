"""The part of the Ask screen that searches in what is on the screen."""

from __future__ import annotations

from typing import NamedTuple

from textual import on
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.widget import Widget

from rag.domain import Span
from tui.render.glyphs import Glyphs
from tui.screens.ask_layout import AskLayout
from tui.state.find import Find, Match
from tui.widgets.exchange import Exchange
from tui.widgets.find_bar import FindBar, Searchable
from tui.widgets.source_pane import SourceScroll
from tui.widgets.text_view import TextView


class _Place(NamedTuple):
    """Where the user was before a search."""

    focused: Widget | None
    conversation: float
    is_at_end: bool
    source: float


class AskFind(AskLayout):
    """Searches the conversation and the source as far as they are on the screen."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self.find = Find()
        self._from: _Place | None = None  #: where the search began; None while there is none

    @property
    def find_bar(self) -> FindBar:
        return self.query_one(FindBar)

    @property
    def finding(self) -> bool:
        """Whether a search is open."""
        return self._from is not None

    def _place(self) -> str:
        if self.focused is not None and self.find_bar in self.focused.ancestors_with_self:
            return "find"
        return super()._place()

    def action_find(self, words: str = "") -> None:
        """Open the search; with words, go to the first match."""
        if not self.finding:
            talk, source = self.talk.scroller, self.query_one(SourceScroll)
            at_end = talk.scroll_y >= talk.max_scroll_y
            self._from = _Place(self.focused, talk.scroll_y, at_end, source.scroll_y)
            self.find = Find()
        self.find_bar.open(words or self.find.words)
        self.pane.holds_place = True
        self._look_for(words or self.find.words)
        if words:
            self.find_bar.focus()

    @on(FindBar.Changed)
    def _words_changed(self, event: FindBar.Changed) -> None:
        if self.finding:
            self._look_for(event.words)

    def _views(self) -> list[Searchable]:
        """Return the texts that are on the screen or can be scrolled there, in order."""
        views: list[Searchable] = []
        if self.talk.display and not (self.has_class("-narrow") and self.has_class("-open")):
            views += [view for turn in self.talk.turns for view in turn.searchable()]
        if self.has_class("-open"):
            views.append(self.pane.query_one("#source-text", TextView))
        return views

    def _look_for(self, words: str) -> None:
        """Look for other words, from where the search began."""
        views = self._views()
        self.find.look(words, [view.text for view in views])
        self.find.at = self._first(views)
        self._show_found(views)
        if self.find.current is None:
            self._return()

    def _first(self, views: list[Searchable]) -> int:
        """Return the number of the first match from where the search began; 0 if all are above."""
        place = self._from
        assert place is not None
        in_source = isinstance(place.focused, SourceScroll)
        for number, match in enumerate(self.find.matches):
            scroller, row = self._row_of(match, views)
            began = place.source if isinstance(scroller, SourceScroll) else place.conversation
            if isinstance(scroller, SourceScroll) == in_source and row >= began:
                return number
        return 0

    def action_find_move(self, by: int) -> None:
        """Go to the next or the previous match. The texts may have grown since the last one."""
        views = self._views()
        self.find.look(self.find.words, [view.text for view in views])
        self.find.move(by)
        self._show_found(views)

    def _show_found(self, views: list[Searchable]) -> None:
        """Mark all matches, show the current one, and count."""
        current = self.find.current
        by_text: dict[int, list[Span]] = {}
        for match in self.find.matches:
            by_text.setdefault(match.text, []).append(match.span)
        for number, view in enumerate(views):
            here = current.span if current is not None and current.text == number else None
            view.show_found(by_text.get(number, ()), here)
        self.find_bar.count(self.find.say())
        if current is not None:
            self._reveal(current, views)

    def _row_of(self, match: Match, views: list[Searchable]) -> tuple[VerticalScroll, int]:
        """Return what scrolls a match, and its row there."""
        view = views[match.text]
        row, widget = view.row_of(match.span.start), view
        assert isinstance(widget, Widget)
        for above in (widget, *widget.ancestors):
            if isinstance(above, VerticalScroll):
                return above, row
            assert isinstance(above, Widget)
            row += above.virtual_region.y
        raise AssertionError("every text of the screen scrolls")

    def _reveal(self, match: Match, views: list[Searchable]) -> None:
        scroller, row = self._row_of(match, views)
        scroller.scroll_to_region(Region(0, row, 1, 1), animate=False, force=True)

    def _return(self) -> None:
        """Scroll to where the search began."""
        if self._from is not None:
            if self._from.is_at_end:
                self.talk.to_end()
            else:
                self.talk.scroller.scroll_to(y=self._from.conversation, animate=False, force=True)
            self.query_one(SourceScroll).scroll_to(y=self._from.source, animate=False, force=True)

    def action_find_back(self) -> None:
        """Close the search and return to where it began."""
        place = self._from
        self._return()
        self._close_find()
        if place is not None and place.focused is not None and place.focused.is_attached:
            place.focused.focus(scroll_visible=False)
        else:
            self.prompt.focus()
        if place is not None:
            self.call_after_refresh(self._return_to, place)

    def _return_to(self, place: _Place) -> None:
        """Scroll to `place` once the line of the search has gone."""
        if not self.finding:
            self._from = place
            self._return()
            self._from = None

    def action_find_keep(self) -> None:
        """Close the search and stay at the match: at its sentence, if it is in one."""
        match, views = self.find.current, self._views()
        self._close_find()
        view = views[match.text] if match is not None and match.text < len(views) else None
        if match is None or view is None:
            (self.shown or self.prompt).focus()
        elif (turn := self._turn_of(view)) is None:
            self.query_one(SourceScroll).focus(scroll_visible=False)
        else:
            turn.focus(scroll_visible=False)
            turn.go_to_found(view, match.span.start)
            self.call_after_refresh(self._reveal, match, views)

    def _close_find(self) -> None:
        """Close the search, wherever the screen is."""
        self._from = None
        for view in self._views():
            view.show_found((), None)
        self.find_bar.display = False

    def _end_find_without_focus(self) -> None:
        """Close the search when the user goes to another part of the screen."""
        if self.finding and self._place() != "find":
            self._close_find()
        elif self.finding:
            self.find_bar.count(self.find.say())

    def _keep_focus(self) -> None:
        if not self.finding:
            super()._keep_focus()

    def _turn_of(self, view: Searchable) -> Exchange | None:
        """Return the turn that a text is part of; None for the source."""
        return next((turn for turn in self.talk.turns if view in turn.searchable()), None)
