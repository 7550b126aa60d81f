"""`amigrad rescorer lexical` and `discriminative`: models of which words go together, without their places."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amigrad.cli.options import (
    EpochsOption,
    MinimumCountOption,
    OutputOption,
    QuietOption,
    ResumeOption,
    SeedOption,
    chosen,
    explained,
)

if TYPE_CHECKING:
    from amigrad.data.bitext import Bitext
    from amigrad.tasks.rescoring.discriminative import DiscriminativeOptions

Source = Annotated[Path, typer.Option("--source", metavar="FILE", help="Source sentences, one a line.")]
Target = Annotated[Path, typer.Option("--target", metavar="FILE", help="Their translations, line by line.")]


def lexical(
    source: Source,
    target: Target,
    output: OutputOption,
    iterations: Annotated[int, typer.Option(min=1, help="Iterations of EM.")] = 6,
    quiet: QuietOption = False,
) -> None:
    """Estimate IBM Model 1 in both directions from bitext, two more features for `amigrad rescorer score`.

    No word alignments are needed, and seconds are enough: the features say how well the words of two sentences explain
    each other, whatever their order.

    \b
    Example:
      amigrad rescorer lexical --source train.de --target train.en --output lexical
      amigrad rescorer score lexical models/* --nbest dev.nbest.gz --source dev.de --output dev.scored.gz
    """
    from amigrad.data.bitext import read_bitext

    estimate_lexical(read_bitext(source, target), output, iterations, quiet=quiet)


def discriminative(
    source: Source,
    target: Target,
    output: OutputOption,
    dev_source: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bitext to choose the epoch by. Default: a part of the other.")
    ] = None,
    dev_target: Annotated[Path | None, typer.Option(metavar="FILE", help="Its translations.")] = None,
    size: Annotated[int | None, typer.Option(help="Width of the layer that stands for a sentence.")] = None,
    minimum_count: MinimumCountOption = None,
    source_pair_count: Annotated[int | None, typer.Option(help="The same of pairs of source words.")] = None,
    target_pair_count: Annotated[int | None, typer.Option(help="The same of pairs of target words.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of that layer left out in training.")] = None,
    item_dropout: Annotated[float | None, typer.Option(help="Share of the source's words and pairs left out.")] = None,
    noise: Annotated[int | None, typer.Option(help="Drawn of what no sentence of a batch has.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Step length at the beginning.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sentences a step.")] = None,
    epochs: EpochsOption = None,
    seed: SeedOption = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads that a step may use.")] = 1,
    resume: ResumeOption = True,
    quiet: QuietOption = False,
) -> None:
    """Train a discriminative lexicon on bitext: which words, and pairs of words, the translation of a sentence has.

    It sees all words of the source sentence at once and needs no word alignments (Mauser et al. 2009, Ha et al. 2014).
    Run again after an interruption, the same command goes on where it was and ends with the same model.

    \b
    Examples:
      amigrad rescorer discriminative --source train.de --target train.en --output discriminative
      amigrad rescorer score discriminative models/* --nbest dev.nbest.gz --source dev.de --output dev.scored.gz
    """
    arguments = dict(locals())

    from amigrad.backends import set_threads
    from amigrad.data.bitext import read_bitext
    from amigrad.tasks.rescoring.discriminative import DiscriminativeOptions

    options = DiscriminativeOptions(**chosen(DiscriminativeOptions, arguments))
    if (dev_source is None) != (dev_target is None):
        raise typer.BadParameter("--dev-source and --dev-target belong together")
    set_threads(threads)
    bitext = read_bitext(source, target)
    dev = read_bitext(dev_source, dev_target) if dev_source is not None and dev_target is not None else None
    train_lexicon(bitext, dev, options, output, resume=resume, quiet=quiet)
    print(f"Try: amigrad rescorer score {output} --nbest LIST --source FILE --output SCORED")


def estimate_lexical(bitext: Bitext, output: Path, iterations: int = 6, *, quiet: bool = False) -> None:
    """Estimate IBM Model 1, showing progress, and save it."""
    from amigrad.cli.progress import shown
    from amigrad.tasks.folder import require_room
    from amigrad.tasks.rescoring.lexical import KIND, learn_lexical

    require_room(output, KIND)
    with shown("iterations", 2 * iterations, quiet=quiet) as advance:
        model = learn_lexical(bitext.source, bitext.target, iterations=iterations, step=advance)
    model.save(output)
    print(f"{output}: IBM Model 1 in both directions from {len(bitext):,} pairs of sentences")


def train_lexicon(
    bitext: Bitext, dev: Bitext | None, options: DiscriminativeOptions, output: Path, *, resume: bool, quiet: bool
) -> None:
    """Train a discriminative lexicon, showing progress, and save it."""
    from amigrad.tasks.rescoring.discriminative_train import train_discriminative

    with explained(quiet):
        model = train_discriminative(bitext, dev, options, output=output, progress=not quiet, resume=resume)
    words, pairs = (sum((" " in item) == pair for item in model.target) for pair in (False, True))
    cost = model.figures["cost_dev"]
    print(f"{output}: {words:,} words and {pairs:,} pairs of words, cost {cost:.2f} a sentence on dev")
