"""`amigrad rescorer tune`, `rescore` and `evaluate`: commands on n-best lists and their features."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from amigrad.cli.options import JsonOption, QuietOption

NBest = Annotated[Path, typer.Option("--nbest", metavar="FILE", help="N-best list, Moses or JSON lines.")]
References = Annotated[
    list[Path], typer.Option("--references", metavar="FILE", help="References, one a line; again for more of them.")
]
AllowEmpty = Annotated[bool, typer.Option("--allow-empty", help="Hypotheses without words are fine.")]


def tune(
    nbest: NBest,
    references: References,
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The weights, as JSON.")],
    without: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Leave a feature out: its weight is 0. May come again.")
    ] = None,
    mbr: Annotated[
        bool, typer.Option("--mbr/--no-mbr", help="Find out how sharp to be for minimum Bayes risk, too.")
    ] = True,
    limit: Annotated[
        list[float] | None,
        typer.Option(
            help="Longest step of MIRA (C); of several the best on held-out folds. Default: 0.003, 0.01, 0.03."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the list.")] = None,
    folds: Annotated[int | None, typer.Option(min=0, help="Folds of cross-validation; 0: none, the first C.")] = None,
    restarts: Annotated[int | None, typer.Option(min=1, help="Runs whose weights are averaged.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the first run; each run has the next.")] = None,
    json: JsonOption = False,
    allow_empty: AllowEmpty = False,
    quiet: QuietOption = False,
) -> None:
    """Tune the weights of all features of an n-best list for BLEU, by batch MIRA (Cherry and Foster 2012).

    It starts from the decoder's own weights, which its scores give away. What is printed as held out is the BLEU of
    sentences by weights that were tuned without them: that is what to expect of other text.

    \b
    Examples:
      amigrad rescorer tune --nbest dev.scored.gz --references dev.en --output weights.json
      amigrad rescorer tune --nbest dev.scored.gz --references dev.en --output weights.json --no-mbr
      amigrad rescorer tune --nbest dev.scored.gz --references dev.en --output own.json --without joint-s2t-l2r
    """
    from amigrad.cli.progress import shown
    from amigrad.cli.rescorer_report import print_tuned
    from amigrad.data.aside import require_place
    from amigrad.tasks.rescoring.alignment import read_sentences
    from amigrad.tasks.rescoring.features import TuningSet, with_references
    from amigrad.tasks.rescoring.nbest import read_nbest
    from amigrad.tasks.rescoring.rescore import tune_risk
    from amigrad.tasks.rescoring.tuning import TuningOptions, tune

    chosen = {"limits": tuple(limit) if limit else None, "epochs": epochs, "folds": folds, "restarts": restarts}
    given = {name: value for name, value in {**chosen, "seed": seed}.items() if value is not None}
    options = TuningOptions(**given)  # type: ignore[arg-type]
    require_place(output)
    count = len(read_sentences(references[0]))
    with shown("lists read", count, quiet=quiet) as advance:
        candidates = TuningSet.of(
            with_references(read_nbest(nbest, allow_empty=allow_empty), references), step=advance
        ).without(without or [], str(nbest))
    with shown("epochs", options.runs(len(candidates.counts)), quiet=quiet) as advance:
        tuned = tune(candidates, options, advance)
    weights, spread = tuned.to_weights(candidates, without or []), candidates.spread(tuned.weights)
    del candidates
    risk = None
    if mbr:
        with shown("lists compared", count, quiet=quiet) as advance:
            lists = with_references(read_nbest(nbest, allow_empty=allow_empty), references)
            risk = tune_risk(lists, weights, spread, step=advance)
        weights = risk.weights
    weights.save(output)
    print_tuned(tuned, risk, weights, output, json=json)


def rescore(
    nbest: NBest,
    weights: Annotated[Path, typer.Option("--weights", metavar="FILE", help="What `tune` wrote.")],
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="The best translations, one a line. Default: shown.")
    ] = None,
    output_nbest: Annotated[
        Path | None, typer.Option("--output-nbest", metavar="FILE", help="The list with new scores, best first.")
    ] = None,
    mbr: Annotated[
        bool | None,
        typer.Option("--mbr/--no-mbr", help="Minimum Bayes risk. Default: if the weights were tuned for it."),
    ] = None,
    allow_empty: AllowEmpty = False,
    quiet: QuietOption = False,
) -> None:
    """Put an n-best list into a new order by tuned weights; write the new best translations and the new list.

    The new score is the expected BLEU of the hypothesis, in percent, if the references were drawn from the list by the
    weighted sums of the features: minimum Bayes risk. With --no-mbr it is the weighted sum itself.

    \b
    Examples:
      amigrad rescorer rescore --nbest test.scored.gz --weights weights.json --output test.best
      amigrad rescorer rescore --nbest test.scored.gz --weights weights.json --no-mbr --output-nbest new.gz > test.best
    """
    from contextlib import ExitStack

    from amigrad.cli.progress import shown
    from amigrad.data.aside import replacing
    from amigrad.tasks.rescoring.nbest import read_nbest
    from amigrad.tasks.rescoring.rescore import rescore
    from amigrad.tasks.rescoring.weights import Weights

    tuned = Weights.load(weights)
    risk = tuned.sharpness is not None if mbr is None else mbr
    best = []
    with ExitStack() as files:
        lines = files.enter_context(replacing(output_nbest)) if output_nbest else None
        texts = files.enter_context(replacing(output)) if output else None
        advance = files.enter_context(shown("lists", None, quiet=quiet))
        for found in read_nbest(nbest, allow_empty=allow_empty):
            new = rescore(found, tuned, risk=risk)
            best.append(new.best)
            if lines is not None:
                lines.write(new.lines())
            advance()
        if texts is not None:
            texts.write("".join(text + "\n" for text in best).encode())
    if output is None:
        sys.stdout.buffer.write("".join(text + "\n" for text in best).encode())


def evaluate(
    systems: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Translations, one a line.")] = None,
    references: Annotated[
        list[Path] | None,
        typer.Option("--references", metavar="FILE", help="References, one a line; again for more of them."),
    ] = None,
    nbest: Annotated[
        Path | None,
        typer.Option("--nbest", metavar="FILE", help="Its first hypotheses and its oracle are systems, too."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline", metavar="FILE", help="What the others are compared with. Default: the list's first."
        ),
    ] = None,
    tokenize: Annotated[
        str, typer.Option(help="Tokenisation of sacrebleu: none (it is done), 13a, intl, char ...")
    ] = "none",
    samples: Annotated[int, typer.Option(min=2, help="Samples of the paired bootstrap.")] = 1000,
    seed: Annotated[int, typer.Option(help="Draws the samples.")] = 12345,
    json: JsonOption = False,
    allow_empty: AllowEmpty = False,
    quiet: QuietOption = False,
) -> None:
    """BLEU and chrF of translations by sacrebleu, with its signature, and how sure their differences are.

    Each system is compared by paired bootstrap with the first hypotheses of the n-best list (or --baseline, or the
    first file): p is the probability of such a difference by chance. The oracle has the best smoothed sentence BLEU
    (add-k, k = 1) of each list.

    \b
    Examples:
      amigrad rescorer evaluate test.best --references test.en --nbest test.nbest.gz
      amigrad rescorer evaluate test.best --references test.en --baseline test.retuned --json
      amigrad rescorer evaluate marian.out --references test.en --tokenize 13a
    """
    from amigrad.cli.progress import shown, waiting
    from amigrad.cli.rescorer_report import print_comparison
    from amigrad.tasks.rescoring.evaluate import compare, first_and_oracle, read_texts
    from amigrad.tasks.rescoring.features import with_references
    from amigrad.tasks.rescoring.nbest import read_nbest

    if not references:
        raise typer.BadParameter("give --references")
    columns = [read_texts(references[0])]
    count = len(columns[0])
    columns += [read_texts(file, count, str(references[0])) for file in references[1:]]
    texts = {str(file): read_texts(file, count, str(references[0])) for file in ([baseline] if baseline else [])}
    last = {}
    if nbest is not None:
        with shown("lists read", count, quiet=quiet) as advance:
            first, best = first_and_oracle(
                with_references(read_nbest(nbest, allow_empty=allow_empty), references), step=advance
            )
        texts["first of the list"] = first
        last = {"oracle of the list": best}
    texts |= {str(file): read_texts(file, count, str(references[0])) for file in systems or []} | last
    if not texts:
        raise typer.BadParameter("give a file of translations, or --nbest")
    with waiting("paired bootstrap", quiet=quiet):
        try:
            found = compare(texts, columns, tokenize=tokenize, samples=samples, seed=seed)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    print_comparison(found, json=json)
