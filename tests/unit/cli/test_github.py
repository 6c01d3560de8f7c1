from __future__ import annotations

from specular_tui.cli.github import annotation, quoted


def test_an_annotation_is_one_line_whatever_it_says() -> None:
    line = annotation("error", "a:b,c%\n::x", "first\nsecond\r::set-output name=a::b ##[add]")

    assert "\n" not in line
    assert "\r" not in line
    assert "##[" not in line
    assert line.startswith("::error title=a%3Ab%2Cc%25")
    assert line.count("::error") == 1


def test_what_tasks_print_stands_between_tokens_that_nobody_knows() -> None:
    first, second = quoted(["::error::x"]), quoted(["::error::x"])

    assert first[0].startswith("::stop-commands::")
    assert first[-1] == f"::{first[0].rpartition('::')[2]}::"
    assert first[0] != second[0]
    assert quoted([]) == []
