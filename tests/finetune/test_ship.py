"""A run shipped and opened again: what lies in the repository must be the student that was measured, or say why not."""

import hashlib
import json
import shutil
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from finetune import open_student as opening
from finetune import ship as shipping
from finetune.__main__ import main
from finetune.base import load_tokenizer
from finetune.chat import prompt_ids
from finetune.errors import InputError
from finetune.importance import IMPORTANCE
from finetune.llama import open_gguf
from finetune.open_student import open_student
from finetune.quantisations import measure, probes, reference_of_gguf
from finetune.run import run as run_training
from finetune.run_weights import run_weights_of
from finetune.settings import Base, Evaluation, Export, Gate, Gates, Lora, RunConfig, Train
from finetune.ship import ship
from finetune.ship_folder import measured_at, ranges_of, read_shipped

LAW = [
    "직계 부모는 증여받은 원의 과세를 표준은 풀이로 받았는데 존속은 마는 증여인.",
    "존속은 증여받은 과세를 표준은 직계 부모는 풀이로 2025 받았는데 제53 원의.",
]
LOOSE = Gates(Q8_0=Gate(argmax=0, mean_kl=100), Q4_K_M=Gate(argmax=0, mean_kl=100))  # 64 columns lose much
RUN, STUDENT, OPENED = Path("runs/tiny"), Path("students/tiny"), Path("runs/opened")
CONFIG = """
dataset: elsewhere
out: elsewhere
base: {folder: base}
fit_vocab: true
extend_vocab: 12
pieces_in: answers
lora: {r: 4, alpha: 8}
train: {learning_rate: 0.01, batch_size: 4, max_steps: 40, dtype: float32}
stages: [{name: m1, kind: domain, texts: law.jsonl, max_steps: 4}, {name: m2, kind: task}]
"""


def quiet(text):
    """What nobody needs to read in a test."""


@pytest.fixture(scope="module")
def place(tiny, tmp_path_factory):
    """A folder like a repository's with a finished run (vocabulary cut and extended) and its shipped student."""
    from datetime import date

    from taxlaw.calls import parse_call, run_call

    folder = tmp_path_factory.mktemp("shipping")
    tiny.write_base(folder / "base", layer_weight=0.5)
    payable = {a: run_call(parse_call(tiny.call(a)), date(2025, 7, 1)).payable for a in tiny.AMOUNTS}
    rows = [tiny.row(number, amount, payable=payable[amount]) for number, amount in enumerate(tiny.AMOUNTS)]
    tiny.write_dataset(folder / "datasets" / "tiny", rows[:32], rows[32:])
    lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in LAW * 12]
    (folder / "law.jsonl").write_text("".join(lines), encoding="utf-8")
    for name in ("finetune", "data_gen"):
        (folder / "configs" / name).mkdir(parents=True)
    (folder / "configs" / "finetune" / "tiny.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "configs" / "data_gen" / "tiny.yaml").write_text("name: tiny\n", encoding="utf-8")
    config = RunConfig(
        dataset=folder / "datasets" / "tiny",  # a path of this machine, which must not be shipped
        out=RUN,
        base=Base(folder=Path("base")),
        fit_vocab=True,
        extend_vocab=12,
        pieces_in="answers",
        lora=Lora(r=4, alpha=8),
        train=Train(learning_rate=1e-2, batch_size=4, max_steps=40, dtype="float32"),
        stages=[
            {"name": "m1", "kind": "domain", "texts": "law.jsonl", "max_steps": 4},
            {"name": "m2", "kind": "task"},
        ],
        evaluation=Evaluation(rows=2, base_rows=1, max_new_tokens=8, nll_rows=1),
        export=Export(
            quantisation="Q8_0", parity_prompts=1, parity_tokens=8, compare=("Q4_K_M",), gates=LOOSE, importance_rows=4
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SLM_FOREST_CACHE", str(folder / "cache"))
        run_training(config, say=quiet)
        ship(RUN, STUDENT, say=quiet)
    return folder


@pytest.fixture(autouse=True)
def inside(place, tmp_path, monkeypatch):
    """Each test in a copy of that folder, with a cache of its own; someone who edits the code meanwhile is not tested."""
    shutil.copytree(place, tmp_path / "here", ignore=shutil.ignore_patterns("cache", "datasets"))
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(opening, "code_sha256", lambda: "the code as it is")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def record_of(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def greedy(file, tokenizer, questions, tokens=24):
    """Greedy ids with which the student in a GGUF answers each question."""
    model, answers = open_gguf(file, context=256), []
    try:
        for question in questions:
            answer = []
            for token in model.generate(prompt_ids(question, tokenizer), temp=0.0):
                answer.append(token)
                if len(answer) == tokens or token == model.token_eos():
                    break
            answers.append(answer)
    finally:
        model.close()
    return answers


def seal(student=STUDENT):
    """The sums once more, as by somebody who means what he changed."""
    names = [line.split("  ")[1] for line in (student / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    sums = [f"{hashlib.sha256((student / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (student / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def test_the_folder_holds_what_is_needed_and_no_base(place):
    files = {path.relative_to(STUDENT).as_posix() for path in STUDENT.rglob("*") if path.is_file()}
    assert files == {
        *("adapter/adapter_config.json", "adapter/adapter_model.safetensors", "vocabulary.json", "run.json"),
        *("README.md", "loss.png", "SHA256SUMS", IMPORTANCE),
    }
    shipped, trained = (load_file(folder / "adapter/adapter_model.safetensors") for folder in (STUDENT, RUN))
    assert {value.dtype for value in shipped.values()} == {torch.float16}
    for name, value in trained.items():
        torch.testing.assert_close(shipped[name].float(), value.float(), rtol=2**-11, atol=2**-24)
    for path in STUDENT.rglob("*"):
        if path.suffix in (".json", ".md"):
            assert str(place) not in path.read_text(encoding="utf-8"), f"a path of this machine in {path}"
    record = record_of(STUDENT)
    assert record["config"]["dataset"] == "datasets/tiny" and record["shipped"]["quantisation"] == "Q8_0"
    assert record["shipped"]["rounding"]["largest_error"] <= 2**-11


def test_the_card_says_how_to_open_it_and_how_it_was_made():
    card = (STUDENT / "README.md").read_text(encoding="utf-8")
    steps = [
        "python -m finetune open --student students/tiny",
        "python -m data_gen build --config configs/data_gen/tiny.yaml",
        "python -m finetune run --config configs/finetune/tiny.yaml",
        "python -m finetune ship --run runs/tiny --out students/tiny --quantisation Q8_0",
    ]
    places = [card.index(step) for step in steps]
    assert places == sorted(places)
    assert "# tiny\n" in card and "이 폴더에는 없습니다" in card and "{{" not in card and "None" not in card


def test_a_gemma_student_carries_the_notice_its_terms_ask_for():
    record = record_of(RUN)
    record["base"]["licence"] = "gemma"
    (RUN / "run.json").write_text(json.dumps(record), encoding="utf-8")
    ship(RUN, Path("students/gemma"), say=quiet)
    notice = Path("students/gemma/NOTICE").read_text(encoding="utf-8")
    assert "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms" in notice
    assert "modified" in notice and "{{" not in notice
    assert not (STUDENT / "NOTICE").exists(), "another base has other terms"


def test_what_is_opened_answers_as_the_run_did(tiny):
    said = []
    record = open_student(STUDENT, OPENED, say=said.append)
    student = OPENED / record["student"]["gguf"]
    assert record["student"]["sha256"] == hashlib.sha256(student.read_bytes()).hexdigest()
    found = run_weights_of(OPENED, quiet)  # eval, merge and export find their way from an opened folder, too
    assert found.weights.key == record_of(RUN)["base"]["key"] and len(found.new_rows) == 12
    tokenizer, trained = load_tokenizer(found.weights), RUN / record_of(RUN)["student"]["gguf"]
    questions = [tiny.question(amount) for amount in tiny.AMOUNTS[::8]]
    ours = greedy(student, tokenizer, questions)
    assert ours == greedy(trained, tokenizer, questions) and len(ours[0]) > 8
    examples = probes([(question, tiny.call("3억원")) for question in questions], tokenizer, 60)
    near = measure(student, examples, reference_of_gguf(trained, examples))
    assert near.mean_kl < 1e-4, "no more than rounding to float16 explains"
    assert record_of(OPENED) == record
    assert [one["gate"] for one in record["gates"]] == ["merge", "tokens", "greedy", "quantisation"]
    assert record["eval"] == record_of(RUN)["eval"] and record["opened"]["run"]["student"] == record_of(RUN)["student"]
    names = {path.name for path in OPENED.iterdir()}
    assert names == {"adapter", student.name, "run.json", "model_card.md", "loss.png", IMPORTANCE}
    assert "열었습니다" in said[-1]


def test_the_quantisation_it_was_shipped_for_is_weighed_as_in_the_run():
    ship(RUN, Path("students/small"), "Q4_K_M", say=quiet)
    record = open_student(Path("students/small"), OPENED, say=quiet)
    assert record["student"]["gguf"] == "student-Q4_K_M.gguf"
    line = next(line for line in record_of(RUN)["survival"]["lines"] if line["name"] == "Q4_K_M")
    assert record["eval"]["student"]["exact"] == line["exact"]["value"]
    assert "`GGUF Q4_K_M` 줄" in Path("students/small/README.md").read_text(encoding="utf-8")
    ship(RUN, Path("students/unmeasured"), "Q6_K", say=quiet)
    assert "Q6_K 에서는 재지 않았습니다" in Path("students/unmeasured/README.md").read_text(encoding="utf-8")
    shutil.rmtree(OPENED)
    (Path("students/small") / IMPORTANCE).unlink()
    sums = Path("students/small/SHA256SUMS")
    sums.write_text("".join(line for line in sums.read_text().splitlines(True) if IMPORTANCE not in line))
    unweighed = open_student(Path("students/small"), OPENED, say=quiet)
    assert unweighed["student"]["sha256"] != record["student"]["sha256"]


def test_a_figure_is_only_given_for_the_quantisation_it_was_measured_at():
    line = {"name": "Q6_K", "exact": {"rows": 3, "value": 2 / 3}, "right": ["a", "b"]}
    record = {"student": {"quantisation": "Q8_0"}, "eval": {"base": 1, "student": 2}, "survival": {"lines": [line]}}
    assert measured_at(record, "Q8_0") == record["eval"]
    assert measured_at(record, "Q6_K") == {
        "base": 1,
        "student": {"rows": 3, "right": 2, "exact": 0.6667, "per_tax": {}},
    }
    assert measured_at(record, "Q4_K_M") == {"base": 1}


def test_an_opened_student_is_used_again_until_something_changes(monkeypatch):
    first = open_student(STUDENT, OPENED, say=quiet)

    def no_merging(*arguments):
        raise AssertionError("merged again")

    monkeypatch.setattr("finetune.merge.merge_adapter", no_merging)
    said = []
    assert open_student(STUDENT, OPENED, say=said.append) == first and "다시 씁니다" in said[0]
    (STUDENT / "README.md").write_text("다른 말", encoding="utf-8")  # for people; decides nothing
    assert open_student(STUDENT, OPENED, say=quiet) == first
    for changed in ({"force": True}, {"quantisation": "Q4_K_M"}):
        with pytest.raises(AssertionError, match="merged again"):
            open_student(STUDENT, OPENED, say=quiet, **changed)
    assert record_of(OPENED) == first, "what was there stays until the new one is whole"
    monkeypatch.setattr(opening, "code_sha256", lambda: "other code")
    with pytest.raises(AssertionError, match="merged again"):
        open_student(STUDENT, OPENED, say=quiet)


STEPS = (
    "finetune.merge.merge_adapter",
    "finetune.gguf_export.export_gguf",
    "finetune.student_file.check_parity",
    "finetune.quantisations.measure_quantisations",
    "finetune.open_student.measured_at",
)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("rudely", [False, True], ids=["ctrl-c", "kill -9"])
def test_an_end_between_two_steps_leaves_nothing_half(monkeypatch, step, rudely):
    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(step, stop)
        if rudely:  # nobody tidies up
            patch.setattr("finetune.base.shutil.rmtree", lambda *given, **options: None)
        assert main(["open", "--student", str(STUDENT), "--out", str(OPENED)]) == 130
    assert not OPENED.exists()
    left = [path for path in Path("runs").iterdir() if path.name.startswith("opened")]
    assert bool(left) == rudely and not [path for path in left if (path / "run.json").exists()]
    if step == STEPS[-1]:
        assert open_student(STUDENT, OPENED, say=quiet)["student"]["gguf"] == "student-Q8_0.gguf"


def test_a_ship_that_is_stopped_leaves_nothing_half(monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(shipping, "weights_of", stop)
    with pytest.raises(KeyboardInterrupt):
        ship(RUN, Path("students/new"), say=quiet)
    assert [path.name for path in Path("students").iterdir()] == ["tiny"]


def alter_adapter():
    path = STUDENT / "adapter" / "adapter_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def other_vocabulary():
    path = STUDENT / "vocabulary.json"
    vocabulary = json.loads(path.read_text(encoding="utf-8"))
    vocabulary["kept"][-1][1] -= 1
    path.write_text(json.dumps(vocabulary), encoding="utf-8")
    seal()


def unknown_quantisation():
    record = record_of(STUDENT)
    record["shipped"]["quantisation"] = "Q2_K"
    (STUDENT / "run.json").write_text(json.dumps(record), encoding="utf-8")
    seal()


def another_base():
    weights = load_file("base/model.safetensors")
    save_file({name: value + 1 for name, value in weights.items()}, "base/model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (alter_adapter, "adapter/adapter_model.safetensors"),
        (lambda: (STUDENT / "vocabulary.json").write_text("{}"), "vocabulary.json"),
        (lambda: (STUDENT / IMPORTANCE).unlink(), IMPORTANCE),
        (lambda: (STUDENT / "vocabulary.json").unlink(), "missing"),
        (lambda: (STUDENT / "SHA256SUMS").unlink(), "finetune ship"),
        (lambda: shutil.rmtree(STUDENT), "Not a shipped student"),
        (lambda: shutil.rmtree("base"), "base.folder"),
        (another_base, "another base"),
        (other_vocabulary, "another vocabulary"),
        (unknown_quantisation, "shipped.quantisation"),
        (lambda: shutil.copytree(RUN, OPENED), "not an opened student"),
    ],
)
def test_what_cannot_be_opened_is_named_and_exits_with_2(capsys, harm, message):
    harm()
    before = OPENED.exists() and record_of(OPENED)
    assert main(["open", "--student", str(STUDENT), "--out", str(OPENED), "--force"]) == 2
    assert message in capsys.readouterr().err
    assert (OPENED.exists() and record_of(OPENED)) == before, "what was there is left alone"


def test_an_unknown_quantisation_is_refused_at_once(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["open", "--student", str(STUDENT), "--quantisation", "Q2_K"])
    assert ended.value.code == 2 and "Q4_K_M" in capsys.readouterr().err


def test_without_a_name_it_is_opened_below_runs_and_spares_a_run_of_that_name():
    with pytest.raises(InputError, match="not an opened student"):
        open_student(STUDENT, say=quiet)
    assert "opened" not in record_of(RUN)
    shutil.rmtree(RUN)
    open_student(STUDENT, say=quiet)
    assert "opened" in record_of(RUN)


def test_too_large_a_student_is_not_shipped(monkeypatch, capsys):
    monkeypatch.setattr(shipping, "LIMIT_BYTES", 20_000)
    assert main(["ship", "--run", str(RUN), "--out", "students/large"]) == 2
    assert "저장소에 담기에는 큽니다" in capsys.readouterr().err
    assert [path.name for path in Path("students").iterdir()] == ["tiny"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--run", "runs/none", "--out", "students/new"), "run.json"),
        (("--run", RUN, "--out", STUDENT), "이미 있습니다"),
        (("--run", RUN, "--out", "base", "--force"), "not a shipped student"),
        (("--run", RUN, "--out", "students/new", "--config", "other.yaml"), "other settings"),
        (("--run", OPENED, "--out", "students/new"), "give the run itself"),
    ],
)
def test_what_cannot_be_shipped_says_why(capsys, words, message):
    Path("other.yaml").write_text(CONFIG.replace("r: 4", "r: 8"), encoding="utf-8")
    shutil.copytree(RUN, OPENED)
    (OPENED / "run.json").write_text(json.dumps(record_of(RUN) | {"opened": {}}), encoding="utf-8")
    assert main(["ship", *map(str, words)]) == 2
    assert message in capsys.readouterr().err
    assert not Path("students/new").exists()


def test_a_run_nobody_could_make_again_is_not_shipped():
    Path("configs/finetune/tiny.yaml").write_text(CONFIG.replace("r: 4", "r: 8"), encoding="utf-8")
    with pytest.raises(InputError, match="no config with the run's settings"):
        ship(RUN, Path("students/new"), say=quiet)


@pytest.mark.parametrize("ids", [[], [5], [0, 1, 2, 7, 9, 10], list(range(0, 40, 3))])
def test_ids_and_ranges_say_the_same(ids):
    vocabulary = read_shipped(STUDENT).vocabulary
    changed = vocabulary.model_copy(update={"kept": ranges_of(ids)})
    assert changed.kept_ids() == ids
    assert vocabulary.model_copy(update={"kept": None}).kept_ids() is None
