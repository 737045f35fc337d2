from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.providers.assistant.passages import PASSAGE_LIMIT, Document, Passage, passages

TEXT = """\
Before any heading.

# Title

## Empty

## The `code` of [a link](x.md) ##

First line.

```sh
# no heading
```

~~~
``` still inside
# nor this
~~~
Last line.


### Next
End."""


def test_a_passage_is_a_section_with_its_lines() -> None:
    before, code, following = passages(Document("docs/x.md", TEXT))
    assert before == Passage("docs/x.md", "docs/x.md", 1, 1, "Before any heading.")
    assert (code.heading, code.first_line, code.last_line) == ("The code of a link", 7, 19)
    assert code.text.startswith("First line.\n\n```sh\n# no heading\n```\n")
    assert code.text.endswith("Last line.")
    assert following == Passage("docs/x.md", "Next", 22, 23, "End.")


def test_the_citation_names_file_lines_and_heading() -> None:
    passage = Passage("docs/providers.md", "Add a provider", 12, 30, "…")
    assert passage.citation == 'docs/providers.md, lines 12-30 "Add a provider"'


def test_a_long_section_is_cut_between_paragraphs_but_not_in_code() -> None:
    paragraph = "word " * 60 + "\n\n"
    code = "```\n" + paragraph * 10 + "```\n\n"
    found = list(passages(Document("x", "# Long\n" + paragraph * 20 + code + paragraph)))
    assert len(found) > 3
    assert {passage.heading for passage in found} == {"Long"}
    assert [passage.text.count("```") % 2 for passage in found] == [0] * len(found)
    assert all(len(p.text) <= PASSAGE_LIMIT + 400 for p in found if "```" not in p.text)


_LINES = st.lists(
    st.sampled_from(["# One", "## Two", "```", "~~~", "", "  ", "text", "#no heading", "- item"]),
    max_size=40,
)


@given(_LINES)
def test_every_line_with_text_is_in_one_passage_at_its_place(lines: list[str]) -> None:
    found = list(passages(Document("x", "\n".join(lines))))
    seen: list[int] = []
    for passage in found:
        numbers = range(passage.first_line, passage.last_line + 1)
        seen.extend(numbers)
        for line in filter(str.strip, passage.text.splitlines()):
            assert line in [lines[number - 1] for number in numbers]
    assert len(seen) == len(set(seen))
    missing = [line for at, line in enumerate(lines, 1) if line.strip() and at not in seen]
    assert all(line.startswith("#") for line in missing)
