"""`amigrad rescorer explain`: the table of one sentence, in the terminal and as a page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amigrad.cli.rescorer_lists import AllowEmpty, NBest

if TYPE_CHECKING:
    from rich.table import Table

    from amigrad.tasks.rescoring.explain import Candidate, Explanation, Prediction


def explain(
    nbest: NBest,
    source: Annotated[Path, typer.Option("--source", metavar="FILE", help="The source sentences, one a line.")],
    weights: Annotated[Path, typer.Option("--weights", metavar="FILE", help="What `tune` wrote.")],
    id: Annotated[int, typer.Option("--id", min=0, help="The sentence, counted from 0.")],
    models: Annotated[list[Path] | None, typer.Argument(metavar="[DIR]...", help="Models that tell of words.")] = None,
    references: Annotated[
        list[Path] | None, typer.Option("--references", metavar="FILE", help="References, to show BLEU and the oracle.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many of the best candidates are shown.")] = 5,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page, too.")] = None,
    mbr: Annotated[
        bool | None,
        typer.Option("--mbr/--no-mbr", help="Ranks by minimum Bayes risk. Default: if the weights were tuned for it."),
    ] = None,
    allow_empty: AllowEmpty = False,
) -> None:
    """Show why a candidate was chosen for a sentence: a probability for each word, their product, old and new rank.

    The list is one that `amigrad rescorer score` added features to. Shown are the best candidates by the new score, the
    decoder's first and, with references, the oracle.

    \b
    Examples:
      amigrad rescorer explain models/* --nbest test.scored.gz --source test.de --weights weights.json --id 7
      amigrad rescorer explain model --nbest test.scored.gz --source test.de --weights weights.json --id 7 --html 7.html
    """
    from rich.console import Console

    from amigrad.data import DataError
    from amigrad.data.aside import replacing
    from amigrad.tasks.rescoring.added import joint_models
    from amigrad.tasks.rescoring.alignment import read_sentences
    from amigrad.tasks.rescoring.explain import explain, find_list
    from amigrad.tasks.rescoring.nbest import read_nbest
    from amigrad.tasks.rescoring.weights import Weights

    tuned = Weights.load(weights)
    sentences = read_sentences(source)
    found = find_list(read_nbest(nbest, allow_empty=allow_empty), id, str(nbest))
    columns = {str(file): read_sentences(file) for file in references or []}
    for name, column in {str(source): sentences, **columns}.items():
        if id >= len(column):
            raise DataError(
                name, None, f"there is no sentence {id}, only {len(column):,}", "Give the file of this list"
            )
    shown = explain(
        found,
        sentences[id],
        tuned,
        joint_models(models or []),
        references=[column[id] for column in columns.values()],
        top=top,
        risk=tuned.sharpness is not None if mbr is None else mbr,
    )
    console = Console(highlight=False, soft_wrap=False)
    console.print(f"{shown.number}: {' '.join(shown.source)}", markup=False)
    for words in shown.references:
        console.print(f"reference: {' '.join(words)}", markup=False)
    for candidate in shown.candidates:
        console.print()
        console.print(_heading(candidate, shown), markup=False)
        console.print(_words_table(candidate))
    if html is not None:
        with replacing(html) as file:
            file.write(page(shown).encode())
        console.print(f"\nThe page is {html}.", markup=False)


def _heading(candidate: Candidate, shown: Explanation) -> str:
    score = f"expected BLEU {candidate.score:.2f}" if shown.risk else f"score {candidate.score:.3f}"
    parts = [f"{candidate.new_rank} (was {candidate.old_rank} of {shown.total})", score]
    if candidate.decoder_score is not None:
        parts.append(f"decoder {candidate.decoder_score:.3f}")
    if candidate.bleu is not None:
        parts.append(f"BLEU {candidate.bleu:.1f}")
    return ", ".join(parts)


def _words_table(candidate: Candidate) -> Table:
    """A row for each model: its name, each word with its probability, their product."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_row("", Text(" ".join(candidate.words), style="bold"))
    for prediction in candidate.predictions:
        line = Text()
        for word, value in zip(prediction.words, prediction.logarithms, strict=True):
            line.append(f"{word}\u00a0").append(probability(value), style=_style(value)).append("  ")
        table.add_row(prediction.model, line.append(f"=\u00a0{product(prediction)}"))
    return table


def probability(logarithm: float) -> str:
    """A probability of a word, short: .87, .012, 3e-5."""
    value = math.exp(min(logarithm, 0.0))
    if value >= 0.095:
        return f"{value:.2f}".removeprefix("0")
    return f"{value:.3f}".removeprefix("0") if value >= 0.001 else f"{value:.0e}".replace("e-0", "e-")


def product(prediction: Prediction) -> str:
    """The product of a candidate's probabilities and the sum of their logarithms."""
    exponent = prediction.total / math.log(10)
    whole = math.floor(exponent)
    return f"{10 ** (exponent - whole):.1f}e{whole}\u00a0(log\u00a0{prediction.total:.2f})"


def _style(logarithm: float) -> str:
    return "green" if logarithm > math.log(0.5) else "" if logarithm > math.log(0.05) else "red"


def page(shown: Explanation) -> str:
    """A page of its own with all that is known of the candidates."""
    rows = "\n".join(_candidate_html(candidate, shown) for candidate in shown.candidates)
    references = "".join(f"<p class=reference>{escape(' '.join(words))}</p>" for words in shown.references)
    score = "expected BLEU" if shown.risk else "new score"
    bleu = "<th>BLEU" if shown.references else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sentence {shown.number}</title>
<style>{_STYLE}</style>
<h1>Sentence {shown.number}</h1>
<p class=source>{escape(" ".join(shown.source))}</p>
{references}
<div class=wide><table>
<thead><tr><th>new rank<th>old rank<th>candidate<th>{score}<th>decoder{bleu}</thead>
{rows}
</table></div>
<p class=note>Each word with its probability, the darker the likelier; {escape("</s>")} is the end of the sentence. The
product of a row of probabilities stands at its end. {len(shown.candidates)} of {shown.total} candidates are shown.</p>
</html>
"""


def _candidate_html(candidate: Candidate, shown: Explanation) -> str:
    decoder = "" if candidate.decoder_score is None else f"{candidate.decoder_score:.3f}"
    bleu = "" if candidate.bleu is None else f"<td class=number>{candidate.bleu:.1f}"
    tables = "".join(_prediction_html(prediction) for prediction in candidate.predictions)
    parts = "".join(f"<tr><td>{escape(name)}<td class=number>{value:+.3f}" for name, value in _by_size(candidate.parts))
    kind = " class=best" if candidate.new_rank == 1 else ""
    return f"""<tbody{kind}><tr><td class=rank>{candidate.new_rank}<td class=rank>{candidate.old_rank}
<td><b>{escape(" ".join(candidate.words))}</b>{tables}
<details><summary>features</summary><table class=parts>{parts}</table></details>
<td class=number>{candidate.score:.3f}<td class=number>{decoder}{bleu}</tbody>"""


def _by_size(parts: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(parts.items(), key=lambda part: -abs(part[1]))


def _prediction_html(prediction: Prediction) -> str:
    cells = "".join(
        f'<span class=word style="background: rgb(40 130 90 / {0.08 + 0.72 * math.exp(min(value, 0.0)):.2f})">'
        f"{escape(word)}<small>{probability(value)}</small></span>"
        for word, value in zip(prediction.words, prediction.logarithms, strict=True)
    )
    name = f"<span class=model>{escape(prediction.model)}</span>"
    return f"<div class=words>{name}<div>{cells} = {product(prediction)}</div></div>"


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; color: #222; }
h1 { font-size: 1.3em; margin: 0; }
.source { font-size: 1.15em; margin: .3em 0; }
.reference { color: #555; margin: .2em 0; }
.reference::before { content: "reference: "; color: #888; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; white-space: nowrap; }
th, td { padding: .5em .8em .5em 0; vertical-align: top; }
tbody { border-top: 1px solid #ccc; }
.best { background: #f3f8f4; }
.rank, .number { text-align: right; font-variant-numeric: tabular-nums; }
.words { margin: .4em 0; display: grid; grid-template-columns: 8em 1fr; }
.word { display: inline-block; padding: 0 .35em; margin: 0 .15em .15em 0; border-radius: .25em; text-align: center; }
.word small { display: block; font-size: .75em; color: #333; }
.model { color: #666; font-size: .85em; }
.parts { width: auto; font-size: .85em; }
.parts td { padding: .1em 1.5em .1em 0; }
summary { cursor: pointer; color: #666; font-size: .85em; }
.note { color: #666; font-size: .85em; }
"""
