"""The processors that a cluster of level 4.8 can have, as the engine is configured with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cpu:
    """A type of processor: a host that has all of its flags can be it; a higher level of the same maker is better."""

    level: int
    name: str
    architecture: str
    flags: frozenset[str]


_SECURE = ("spec_ctrl", "ssbd", "md_clear")
_INTEL = {
    "Nehalem": "Nehalem",
    "Westmere": "Westmere",
    "SandyBridge": "SandyBridge",
    "IvyBridge": "IvyBridge",
    "Haswell": "Haswell-noTSX",
    "Broadwell": "Broadwell-noTSX",
    "Skylake Client": "Skylake-Client",
    "Skylake Server": "Skylake-Server",
    "Cascadelake Server": "Cascadelake-Server",
    "Icelake Server": "Icelake-Server-noTSX",
}
"""Intel's families, oldest first, and the model in a host's flags."""

_OTHERS = (
    (1, "AMD Opteron G4", "x86_64", ("svm", "nx", "model_Opteron_G4")),
    (2, "AMD Opteron G5", "x86_64", ("svm", "nx", "model_Opteron_G5")),
    (3, "AMD EPYC", "x86_64", ("svm", "nx", "model_EPYC")),
    (4, "Secure AMD EPYC", "x86_64", ("svm", "nx", "ibpb", "ssbd", "model_EPYC")),
    (1, "IBM POWER8", "ppc64", ("powernv", "model_POWER8")),
    (2, "IBM POWER9", "ppc64", ("powernv", "model_POWER9")),
    (1, "IBM z114, z196", "s390x", ("sie", "model_z196-base")),
    (2, "IBM zBC12, zEC12", "s390x", ("sie", "model_zEC12-base")),
    (3, "IBM z13s, z13", "s390x", ("sie", "model_z13-base")),
    (4, "IBM z14", "s390x", ("sie", "model_z14-base")),
)


def _intel() -> list[Cpu]:
    found = []
    for number, (family, model) in enumerate(_INTEL.items()):
        plain = frozenset(("vmx", "nx", f"model_{model}"))
        found.append(Cpu(2 * number + 1, f"Intel {family} Family", "x86_64", plain))
        secure = plain - {"nx"} | set(_SECURE)
        found.append(Cpu(2 * number + 2, f"Secure Intel {family} Family", "x86_64", secure))
    return found


CPUS = (*_intel(), *(Cpu(level, name, kind, frozenset(flags)) for level, name, kind, flags in _OTHERS))
"""All of them, the better ones of a maker later."""
