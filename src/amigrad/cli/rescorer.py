"""`amigrad rescorer`: train joint models of translation, and add their probabilities to n-best lists."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amigrad.cli import rescorer_explain, rescorer_lexicons, rescorer_lists
from amigrad.cli.options import (
    DropoutOption,
    MinimumCountOption,
    OutputOption,
    PatienceOption,
    QuietOption,
    ResumeOption,
    ScheduleOption,
    SeedOption,
    chosen,
    explained,
)

if TYPE_CHECKING:
    from amigrad.data.bitext import Bitext
    from amigrad.tasks.rescoring.options import JointOptions

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Rescore the n-best lists of a translation decoder with neural joint models.",
)


class Variation(StrEnum):
    """Which side is predicted (t: target), and from which end."""

    S2T_L2R = "s2t-l2r"
    S2T_R2L = "s2t-r2l"
    T2S_L2R = "t2s-l2r"
    T2S_R2L = "t2s-r2l"
    ALL = "all"


@app.command()
def train(
    target: Annotated[Path, typer.Option("--target", metavar="FILE", help="Translations, one a line.")],
    output: OutputOption,
    source: Annotated[
        Path | None,
        typer.Option("--source", metavar="FILE", help="What they translate, line by line (not for --window 0)."),
    ] = None,
    alignment: Annotated[
        Path | None, typer.Option("--alignment", metavar="FILE", help="Their word alignment: links i-j, from 0.")
    ] = None,
    align: Annotated[bool, typer.Option("--align", help="Align with eflomal, which must be installed.")] = False,
    dev_source: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bitext to choose the model by. Default: a part of the other.")
    ] = None,
    dev_target: Annotated[Path | None, typer.Option(metavar="FILE", help="Its translations.")] = None,
    dev_alignment: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its word alignment. Default: by the lexical table.")
    ] = None,
    variation: Annotated[
        Variation,
        typer.Option(help="What is predicted (t2s: source words) and in which order (r2l: the last word first)."),
    ] = Variation.S2T_L2R,
    window: Annotated[int | None, typer.Option(help="Words of the other side, odd; 0: a language model.")] = None,
    history: Annotated[int | None, typer.Option(help="Words before the predicted one.")] = None,
    source_words: Annotated[int | None, typer.Option(help="Most entries of the source vocabulary.")] = None,
    target_words: Annotated[int | None, typer.Option(help="Most entries of the target vocabulary.")] = None,
    minimum_count: MinimumCountOption = None,
    unknown: Annotated[str | None, typer.Option(help="class: unknown words are told apart by their form; unk.")] = None,
    word_size: Annotated[int | None, typer.Option(help="Width of the lookup tables (paper: 192).")] = None,
    first_size: Annotated[int | None, typer.Option(help="Width of the first layer (paper: 512).")] = None,
    second_size: Annotated[int | None, typer.Option(help="Width of the second layer (paper: 512).")] = None,
    objective: Annotated[str | None, typer.Option(help="nce, self-normalised or softmax.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Weight of log² Z (self-normalised).")] = None,
    noise: Annotated[int | None, typer.Option(help="Words drawn for a batch (nce).")] = None,
    dropout: DropoutOption = None,
    hidden_dropout: Annotated[float | None, typer.Option(help="Share of the layers' outputs left out.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the bitext.")] = None,
    patience: PatienceOption = None,
    batch_size: Annotated[int | None, typer.Option(help="Predictions a step.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam or adagrad.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step length. Default: one that suits the optimizer.")
    ] = None,
    schedule: ScheduleOption = None,
    seed: SeedOption = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads that a step may use.")] = 1,
    resume: ResumeOption = True,
    quiet: QuietOption = False,
) -> None:
    """Train a joint model (Devlin et al. 2014) on bitext with word alignments, and save it in a folder.

    Each word is predicted from the words before it and a window of the other language around the word that it is
    affiliated with. The model of the best epoch is kept, by its perplexity on dev. Run again after an interruption,
    the same command goes on where it was and ends with the same model. `--variation all` trains all four variations and
    both lexicons (`amigrad rescorer lexical`, `amigrad rescorer discriminative`), each in a folder of its own.

    \b
    Examples:
      amigrad rescorer train --source train.de --target train.en --alignment train.align --output model
      amigrad rescorer train --source train.de --target train.en --align --variation all --output models
      amigrad rescorer train --target train.en --window 0 --output lm
      amigrad rescorer train --source train.de --target train.en --alignment train.align --output paper \\
          --word-size 192 --first-size 512 --second-size 512 --target-words 32000
    """
    options = _options(variation, dict(locals()))
    if (dev_source is None) != (dev_target is None) or (dev_alignment is not None and dev_source is None):
        raise typer.BadParameter("--dev-source and --dev-target belong together")
    if align and alignment is not None:
        raise typer.BadParameter("--align and --alignment exclude each other")
    needed = any(one.window for one in options.values())
    if needed and source is None:
        raise typer.BadParameter("give the source sentences with --source")
    if needed and not align and alignment is None:
        raise typer.BadParameter("give a word alignment with --alignment, or let --align make it with eflomal")

    from amigrad.backends import set_threads
    from amigrad.data.bitext import read_bitext
    from amigrad.tasks.rescoring.discriminative import DiscriminativeOptions
    from amigrad.tasks.rescoring.train import train_joint

    set_threads(threads)
    bitext = read_bitext(target if source is None else source, target, alignment)
    _tell(bitext, quiet)
    if align:
        bitext = _aligned(bitext, quiet)
    dev = None
    if dev_source is not None and dev_target is not None:
        dev = read_bitext(dev_source, dev_target, dev_alignment)
    several = len(options) > 1
    for name, one in options.items():
        folder = output / name if several else output
        if several and not quiet:
            print(f"Variation {name}:")
        with explained(quiet):
            model = train_joint(bitext, dev, one, output=folder, progress=not quiet, resume=resume)
        perplexity, normaliser = model.figures["perplexity"], model.figures["log_z"]
        print(f"{folder}: perplexity {perplexity:.2f} and mean |log Z| {normaliser:.3f} on dev")
    if several and needed:
        if not quiet:
            print("Lexicons:")
        rescorer_lexicons.estimate_lexical(bitext, output / "lexical", quiet=quiet)
        lexicon = DiscriminativeOptions() if seed is None else DiscriminativeOptions(seed=seed)
        rescorer_lexicons.train_lexicon(bitext, dev, lexicon, output / "discriminative", resume=resume, quiet=quiet)
    print(f"Try: amigrad rescorer score {output} --nbest LIST --source FILE --output SCORED")


@app.command()
def score(
    models: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of models, or of several models.")],
    nbest: Annotated[Path, typer.Option("--nbest", metavar="FILE", help="N-best list, Moses or JSON lines.")],
    source: Annotated[Path, typer.Option("--source", metavar="FILE", help="The source sentences, one a line.")],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The list with more features.")],
    exact: Annotated[
        bool | None, typer.Option(help="Take log Z off, slowly. Default: for models of --objective softmax.")
    ] = None,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Hypotheses without words are fine.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Add features of models to an n-best list: the log probability of each hypothesis by each variation.

    Models of the same variation, say of different seeds, give the mean of their log probabilities. Where a list has no
    word alignment, the models' lexical table says which words belong together. A lexical model adds two features.

    \b
    Examples:
      amigrad rescorer score model --nbest dev.nbest.gz --source dev.src --output dev.scored.gz
      amigrad rescorer score models/* lm --nbest dev.nbest.gz --source dev.src --output dev.scored.gz
    """
    from amigrad.cli.progress import lists_shown
    from amigrad.tasks.rescoring.added import AddedFeatures, write_features
    from amigrad.tasks.rescoring.alignment import read_sentences
    from amigrad.tasks.rescoring.nbest import read_nbest

    features = AddedFeatures(models, exact=exact)
    sentences = read_sentences(source)
    with lists_shown(len(sentences), shown=not quiet) as shown:
        write_features(features, read_nbest(nbest, allow_empty=allow_empty), sentences, output, shown=shown)
    if not quiet:
        print(f"{output}: {len(sentences):,} lists with {', '.join(features.names)}")


for _command in (
    rescorer_lexicons.lexical,
    rescorer_lexicons.discriminative,
    rescorer_lists.tune,
    rescorer_lists.rescore,
    rescorer_lists.evaluate,
    rescorer_explain.explain,
):
    app.command()(_command)


def _options(variation: Variation, arguments: dict[str, object]) -> dict[str, JointOptions]:
    from amigrad.tasks.rescoring.options import VARIATIONS, JointOptions

    given = chosen(JointOptions, arguments)
    names = list(VARIATIONS) if variation is Variation.ALL else [variation.value]
    found = {}
    for name in names:
        direction, order = VARIATIONS[name]
        found[name] = JointOptions(**{**given, "direction": direction, "order": order})
    return found


def _tell(bitext: Bitext, quiet: bool) -> None:
    if not quiet:
        left_out = f" ({bitext.skipped:,} with an empty side are left out)" if bitext.skipped else ""
        print(f"{len(bitext):,} pairs of sentences{left_out}")


def _aligned(bitext: Bitext, quiet: bool) -> Bitext:
    from amigrad.tasks.rescoring.align import align

    if not quiet:
        print("Aligning the words with eflomal ...", flush=True)
    return align(bitext)
