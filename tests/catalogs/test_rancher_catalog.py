"""Trees of Rancher catalogs: which entries, versions and questions they become."""

from textwrap import dedent

import pytest

from platform_manager.catalogs import rancher
from platform_manager.catalogs.base import Entry, Found, Skipped, Version
from platform_manager.recipes import Choice, Question, QuestionKind

CONFIG = """
    name: Blog
    version: 1.10
    category: Blogging, Web
    description: |
      A blog.
      With everything.
    maintainer: Ada <ada@example.org>
    license: MIT
    projectURL: https://blog.example.org/
"""
COMPOSE = "web: {image: 'blog:${tag}'}"


def about(version: str, questions: str = " []") -> str:
    return f".catalog:\n  name: Blog\n  version: {version}\n  questions:{questions}\nweb: {{scale: 2}}\n"


def found(files: dict[str, str | bytes]) -> Found:
    return rancher.read(
        {path: data if isinstance(data, bytes) else dedent(data).encode() for path, data in files.items()}
    )


def entry(files: dict[str, str | bytes]) -> Entry:
    [only] = found(files).entries
    return only


def version(compose: str, rancher_compose: str = "", name: str = "docker-compose.yml") -> Version:
    files: dict[str, str | bytes] = {
        "templates/x/0/" + name: compose,
        "templates/x/0/rancher-compose.yml": rancher_compose,
    }
    return entry(files).versions[0]


BLOG: dict[str, str | bytes] = {
    "templates/blog/config.yml": CONFIG,
    "templates/blog/catalogIcon-blog.svg": b"<svg/>",
    "templates/blog/README.md": "# Blog",
    "templates/blog/2/docker-compose.yml": COMPOSE,
    "templates/blog/2/rancher-compose.yml": about("1.9"),
    "templates/blog/10/docker-compose.yml": COMPOSE,
    "templates/blog/10/rancher-compose.yml": about("1.10"),
    "templates/blog/10/README.md": "# Blog 1.10",
}


def test_a_folder_is_an_entry_with_its_versions_newest_first() -> None:
    blog = entry(BLOG)

    assert (blog.key, blog.title, blog.summary) == ("blog", "Blog", "A blog.")
    assert blog.description == "A blog.\nWith everything."
    assert blog.categories == ("Blogging", "Web")
    assert (blog.maintainer, blog.license, blog.link) == ("Ada <ada@example.org>", "MIT", "https://blog.example.org/")
    assert blog.logo.data == b"<svg/>"
    assert [(v.label, v.readme) for v in blog.versions] == [("1.10", "# Blog 1.10"), ("1.9", "# Blog")]
    assert blog.preferred == "1.10"
    assert "replicas: 2" in blog.versions[0].compose


def test_versions_with_the_same_label_get_their_number() -> None:
    same: dict[str, str | bytes] = {}
    for number in range(3):
        same[f"templates/x/{number}/docker-compose.yml"] = COMPOSE
        same[f"templates/x/{number}/rancher-compose.yml"] = about("1")

    assert [v.label for v in entry(same).versions] == ["1", "1 (1)", "1 (0)"]


def test_a_label_that_looks_like_an_added_number_is_no_trouble() -> None:
    files: dict[str, str | bytes] = {}
    for number, label in enumerate(["a", "a", "a", "a (1)"]):
        files[f"templates/x/{number}/docker-compose.yml"] = COMPOSE
        files[f"templates/x/{number}/rancher-compose.yml"] = about(label)

    assert [v.label for v in entry(files).versions] == ["a (1)", "a", "a (1-2)", "a (0)"]


def test_a_version_without_a_name_has_its_number() -> None:
    assert version(COMPOSE).label == "0"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("templates/blog", "blog"),
        ("infra-templates/blog", "infra*blog"),
        ("community/swarm-templates/blog", "community/swarm*blog"),
        ("blog", "blog"),
        ("", "blog"),
    ],
)
def test_recipes_are_found_wherever_they_lie(path: str, key: str) -> None:
    lead = f"{path}/" if path else ""

    blog = entry({f"{lead}config.yml": CONFIG, f"{lead}0/docker-compose.yml": COMPOSE})

    assert (blog.key, blog.title) == (key, "Blog")


def test_folders_that_only_look_like_it_are_no_recipes() -> None:
    tree = {"templates/page.html": b"", "docs/1/index.md": b"", "2024/notes.txt": b""}

    assert not rancher.is_catalog(tree)
    assert rancher.read(tree) == Found("rancher", ())


def test_a_broken_config_leaves_the_versions() -> None:
    result = found({"templates/x/config.yml": "name: [", "templates/x/0/docker-compose.yml": COMPOSE})

    assert result.entries[0].title == "x"
    assert result.entries[0].versions[0].compose
    assert result.skipped[0].path == "templates/x/config.yml"
    assert "It can't be read" in result.skipped[0].sentence


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    assert version("web: {image: a, image: b}", about("1") + "web: {scale: 3}").compose.count("image: b") == 1
    assert "replicas: 3" in version(COMPOSE, about("1") + "web: {scale: 3}").compose


def test_misspelt_fields_count() -> None:
    blog = entry(
        {
            "templates/x/config.yml": "name: X\ndecription: Y\nMaintainer: Z\n",
            "templates/x/0/docker-compose.yml": COMPOSE,
            "templates/x/0/rancher-compose.yml": "catalog: {verison: 3, questons: [{varible: A, requird: true}]}",
        }
    )

    assert (blog.description, blog.maintainer) == ("Y", "Z")
    assert blog.versions[0].label == "3"
    assert blog.versions[0].questions == (Question("A", label="A", required=True),)


def test_a_version_without_compose_file_is_refused() -> None:
    only = entry({"templates/x/0/rancher-compose.yml": about("1")}).versions[0]

    assert only.refusal == "This version has no docker-compose.yml. Mend it in the catalog."


@pytest.mark.parametrize("kind", ["mesos", "kubernetes", "machine", "windows"])
def test_what_is_for_other_platforms_is_refused_with_the_reason(kind: str) -> None:
    result = entry({f"{kind}-templates/x/config.yml": CONFIG, f"{kind}-templates/x/0/url": "x"}).versions[0]

    assert result.compose == ""
    assert {"mesos": "Mesos", "kubernetes": "Kubernetes", "machine": "makes machines", "windows": "Windows"}[
        kind
    ] in result.refusal


def test_environment_templates_are_told_and_skipped() -> None:
    result = found(
        {
            "project-templates/cattle/config.yml": "name: Cattle",
            "project-templates/cattle/0/project.yml": "stacks: [{name: ipsec, templateId: 'library:infra*ipsec'}]",
            "project-templates/broken/0/project.yml": "stacks: [",
        }
    )

    assert result.entries == ()
    assert [skipped.path for skipped in result.skipped] == ["project-templates/broken", "project-templates/cattle"]
    assert "with the stacks ipsec, and no recipe" in result.skipped[1].sentence


QUESTIONS: dict[str, Question] = {
    "{variable: A, label: L, description: D, required: true, default: d}": Question(
        "A", label="L", help="D", required=True, default="d"
    ),
    "{variable: A, type: int, default: 8080, min: 1, max: 65535}": Question(
        "A", QuestionKind.INT, "A", default="8080", minimum=1, maximum=65535
    ),
    "{variable: A, type: boolean, default: True}": Question("A", QuestionKind.BOOLEAN, "A", default="true"),
    "{variable: A, type: boolean, default: 'No'}": Question("A", QuestionKind.BOOLEAN, "A", default="false"),
    "{variable: A, type: enum, default: true, options: [true, false]}": Question(
        "A", QuestionKind.ENUM, "A", default="true", choices=(Choice("true", "true"), Choice("false", "false"))
    ),
    "{variable: A, type: enum, default: null, options: [1.10, b]}": Question(
        "A", QuestionKind.ENUM, "A", choices=(Choice("1.10", "1.10"), Choice("b", "b"))
    ),
    "{variable: A, type: enum, default: c, options: [a]}": Question(
        "A", QuestionKind.ENUM, "A", default="c", choices=(Choice("c", "c"), Choice("a", "a"))
    ),
    "{variable: A, type: enum}": Question("A", label="A"),
    '{variable: A, type: multiline, default: "a\\nb"}': Question("A", QuestionKind.MULTILINE, "A", default="a\nb"),
    "{variable: A, type: password, min: 8}": Question("A", QuestionKind.PASSWORD, "A", minimum=8),
    "{variable: A, type: service, default: a/b}": Question("A", QuestionKind.SERVICE, "A", default="a/b"),
    "{variable: A, type: secret}": Question("A", QuestionKind.SECRET, "A"),
    "{variable: A, type: certificate}": Question("A", QuestionKind.CERTIFICATE, "A"),
    "{variable: A, type: Strng}": Question("A", label="A"),
    "{variable: A, default: 1.10}": Question("A", label="A", default="1.10"),
    "{variable: A, default: ''}": Question("A", label="A", default=""),
    "{variable: A, min: --1, max: '-'}": Question("A", label="A"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_of_every_type(question: str) -> None:
    assert version(COMPOSE, about("1", f" [{question}]")).questions == (QUESTIONS[question],)


def test_questions_without_variable_are_told() -> None:
    result = found(
        {
            "templates/x/0/docker-compose.yml": COMPOSE,
            "templates/x/0/rancher-compose.yml": about("1", " [{label: L}, {variable: A}, {variable: A}]"),
        }
    )

    assert [question.variable for question in result.entries[0].versions[0].questions] == ["A"]
    assert result.skipped == (
        Skipped("templates/x/0/rancher-compose.yml", "Question 1 names no variable, so it is not asked."),
    )


TEMPLATE = """
web:
  image: web
{{- if eq .Values.public "true"}}
  ports: ['${port}:80']
{{- end}}
  environment: {NAME: '{{.Stack.Name}}'}
"""
ASKED = " [{variable: public, type: boolean, default: false}, {variable: port, default: 80}]"


def test_templates_are_rendered_with_the_defaults_and_anew_with_answers() -> None:
    stored = version(TEMPLATE, about("1", ASKED), "docker-compose.yml.tpl")

    assert "ports" not in stored.compose
    assert "${STACK_NAME}" in stored.compose
    answered = rancher.rendered(stored.files, {"public": "true"}, stack_name="shop")
    assert answered is not None
    assert "${port}:80" in answered.compose
    assert "NAME: shop" in answered.compose


def test_a_blank_answer_is_no_default() -> None:
    asked = " [{variable: port, default: 80}]"
    stored = version("web:\n  image: x{{if .Values.port}}y{{end}}", about("1", asked), "docker-compose.yml.tpl")

    blank = rancher.rendered(stored.files, {"port": ""}, stack_name="shop")

    assert "image: xy" in stored.compose
    assert blank is not None
    assert "image: x\n" in blank.compose


def test_passwords_stay_variables_in_what_templates_write() -> None:
    asked = " [{variable: word, type: password}]"
    text = "web: {image: x, environment: {A: '{{if eq .Values.word `hush`}}{{.Values.word}}{{end}}'}}"
    stored = version(text, about("1", asked), "docker-compose.yml.tpl")

    answered = rancher.rendered(stored.files, {"word": "hush"}, stack_name="shop")

    assert answered is not None
    assert "A: ${word}" in answered.compose


def test_the_variables_of_a_version_are_those_of_all_its_files() -> None:
    stored = version(TEMPLATE, about("1", ASKED) + "other: {scale: '${n}'}", "docker-compose.yml.tpl")

    assert rancher.mentioned(stored.files) == {"public", "port", "n"}


@pytest.mark.parametrize("files", [{}, {".rancher.json": b"{"}, {".rancher.json": b"[]"}, {"a.txt": b""}])
def test_versions_of_other_catalogs_have_nothing_to_render(files: dict[str, bytes]) -> None:
    assert rancher.rendered(files, {}, stack_name="shop") is None
    assert rancher.mentioned(files) is None


def test_a_broken_template_is_refused_with_the_line() -> None:
    broken = version("web:\n  image: {{ nonsense }}", about("1"), "docker-compose.yml.tpl")

    reason = "line 2: there is no function 'nonsense'"
    assert broken.refusal == f"The template of this version can't be rendered: {reason}. Mend it in the catalog."


def test_files_that_say_so_are_no_templates() -> None:
    plain = version("# notemplating\nweb: {image: x, command: '{{.Task.Slot}}'}", "", "docker-compose.yml.tpl")

    assert "{{.Task.Slot}}" in plain.compose


def test_only_so_much_is_read() -> None:
    result = found(
        {
            **{f"templates/x/{n}/docker-compose.yml": COMPOSE for n in range(103)},
            "templates/x/catalogIcon-x.png": b"x" * 600_000,
        }
    )

    assert len(result.entries[0].versions) == 100
    assert result.entries[0].versions[0].label == "102"
    assert result.entries[0].logo.data == b""
    assert {skipped.path for skipped in result.skipped} == {"templates/x", "templates/x/catalogIcon-x.png"}


def test_a_catalog_that_takes_too_long_keeps_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rancher, "SECONDS", -1)

    result = found(BLOG)

    assert result.entries == ()
    assert result.skipped == (
        Skipped("templates/blog", "Reading the catalog took too long: this recipe was left out."),
    )
