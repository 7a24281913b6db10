"""Verdicts that nobody wants to render: hostile texts everywhere, and thousands of wordy cells."""

from __future__ import annotations

from typing import Any

from pytest_ovirt_release.verdict.model import Verdict

HOSTILE = '<script>alert(1)</script> | `x` [a](javascript:alert(1)) & "q" \'\u202eevil\u0007 {{7*7}} **b**'


def hostile(no_go: Verdict, conditional: Verdict, text: str = HOSTILE) -> Verdict:
    """Return the verdict of `no_go` with a hostile text wherever the outside may put one."""
    data = no_go.model_dump(by_alias=True)
    _waive(data, conditional.model_dump(by_alias=True), text)
    data["generated_by"] = text
    data["page"]["title"] = data["page"]["uri"] = text
    data["candidate"]["components"] = [{"name": text, text: text}]
    data["candidate"]["files"] = [{"component": text, "name": text, "sha256": text}]
    for reason in (*data["reasons"], *data["remarks"]):
        reason["detail"] = reason["code"] = text if reason["code"] != "finish" else "finish"
    for requirement in data["requirements"]:
        requirement["title"] = requirement["section"] = requirement["proof"] = text
        requirement["faults"] = [text]
        for number, cell in enumerate(requirement["cells"]):
            cell["value"] = cell["detail"] = text
            cell["id"] = f"{requirement['id']}[{text}{number}]"
            for part in (*cell["attempts"], *cell["evidence"]):
                part["nodeid"] = text
            for attempt in cell["attempts"]:
                attempt.update(tester=text, environment=text, sentence=text, message=text, started=text)
            for evidence in cell["evidence"]:
                evidence["name"] = text
                evidence["file" if evidence["file"] else "value"] = text
    for gap in data["gaps"]:
        gap.update(title=text, owner=text, detail=text, eta=text)
    for milestone in data["timeline"]:
        milestone.update(title=text, source=text, due=text, actual=text)
    for run in data["runs"]:
        run.update(arguments=[text], versions={text: text}, brands=[text])
        run.update(tester=f"{text}{run['id']}", digest=text)
    return Verdict.model_validate(data)


def _waive(data: dict[str, Any], conditional: dict[str, Any], text: str) -> None:
    """Give a verdict the runs, waivers and refused runs of another, all with hostile texts, and waive a cell."""
    data.update({name: conditional[name] for name in ("runs", "waivers", "refused")})
    data["waivers_sha256"] = text
    for number, waiver in enumerate(data["waivers"]):
        waiver.update(dict.fromkeys(("reason", "approver", "role", "approved", "expires", "detail"), text))
        waiver["id"], waiver["cells"] = f"{text}{number}", [text, f"vm-on-nfs[{text}]"]
        waiver["used_for"] = [text] if waiver["status"] == "used" else []
    for run in data["refused"]:
        run.update(dict.fromkeys(("name", "run", "digest", "code", "detail"), text))
    cells = [c for r in data["requirements"] for c in r["cells"] if c["class"] in {"disproven", "unproven"}]
    cells[0].update(disposition="waived", waiver=f"{text}0")
    cells[1].update(disposition="waived", waiver=f"{text}, and listed nowhere")


def huge(no_go: Verdict, conditional: Verdict) -> Verdict:
    """Return two thousand cells with evidence and wordy failures, twenty testers, many wordy waivers and refused runs."""
    data, merged = no_go.model_dump(by_alias=True), conditional.model_dump(by_alias=True)
    cells = [cell for requirement in data["requirements"] for cell in requirement["cells"]]
    template = dict(data["requirements"][1], cells=[])
    data["requirements"] = [
        dict(
            template,
            id=f"requirement-{r}",
            cells=[_huge_cell(cells[(r * 50 + c) % len(cells)], r, c) for c in range(50)],
        )
        for r in range(40)
    ]
    data["runs"] = [dict(data["runs"][0], id=f"run-{n}", tester=f"tester-{n}") for n in range(20)]
    data["refused"] = [dict(merged["refused"][0], name=f"refused-{n}", detail=WORDY) for n in range(300)]
    data["waivers"] = [_huge_waiver(merged["waivers"][0], data, n) for n in range(400)]
    return Verdict.model_validate(data)


WORDY = "a long message of a failing test " * 300


def _huge_cell(cell: dict[str, Any], requirement: int, number: int) -> dict[str, Any]:
    name = f"requirement-{requirement}[value-{number}]"
    attempts = [dict(a, tester=f"tester-{(requirement + number) % 20}") for a in cell["attempts"]]
    detail = WORDY if number % 3 == 0 else ""
    return dict(cell, id=name, value=f"value-{number}", detail=detail, attempts=attempts)


def _huge_waiver(waiver: dict[str, Any], data: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a waiver that is used for what is not proven of five cells."""
    cells = [c for r in data["requirements"] for c in r["cells"]][number * 5 : number * 5 + 5]
    name, used = f"waiver-{number}", [c for c in cells if c["class"] in {"disproven", "unproven"}]
    for cell in used:
        cell.update(disposition="waived", waiver=name)
    return dict(
        waiver,
        id=name,
        status="used" if used else "unused",
        reason=WORDY,
        cells=[c["id"] for c in cells],
        used_for=[c["id"] for c in used],
    )
