# pyright: basic, reportAttributeAccessIssue=false
"""Kernels compiled by numba: the type of a state's handle, its column access, and two processor instructions.

A handle is a pointer to the state's buffer. `w.column` loads the column's offset from the head of the buffer (marked
invariant, so that loops hoist it) and gives a pointer to its first entry; there are no bounds checks.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

# Before numba is imported: level 1 runs our kernels as fast as level 3 and compiles them in four fifths of the time.
os.environ.setdefault("NUMBA_OPT", "1")

import numba
from llvmlite import ir
from numba.core import config, types
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    register_model,
)

from gridhall.kernel.cache import cache_root, source_key
from gridhall.kernel.columns import Columns

_KernelFunction = TypeVar("_KernelFunction", bound=Callable[..., Any])


class HandleType(types.Type):
    """numba's type of a state: which columns there are, and in which order their offsets stand."""

    def __init__(self, name: str, columns: tuple[str, ...]) -> None:
        self.columns = columns
        mark = hashlib.sha256(" ".join(columns).encode()).hexdigest()[:12]
        super().__init__(name=f"gridhall.{name}.{mark}")


@register_model(HandleType)
class _HandleModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, ir.IntType(64).as_pointer())


@infer_getattr
class _HandleAttributes(AttributeTemplate):
    key = HandleType

    def generic_resolve(self, typ: Any, attr: str) -> Any:
        return types.CPointer(types.int64) if attr in typ.columns else None


@lower_getattr_generic(HandleType)
def _lower_column(context: Any, builder: Any, typ: Any, value: Any, attr: str) -> Any:
    word = ir.IntType(64)
    place = builder.gep(value, [ir.Constant(word, typ.columns.index(attr))])
    offset = builder.load(place)
    offset.set_metadata("invariant.load", builder.module.add_metadata([]))
    return builder.gep(value, [offset])


def state_cast(state: type[Columns]) -> Callable[[Any], Any]:
    """The function with which an entry kernel turns `state.handle` into the state `w`."""
    handle = HandleType(state.__name__, tuple(state.declared))

    @intrinsic
    def as_state(typingctx: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], ir.IntType(64).as_pointer())

        return handle(types.int64), generate

    return cast(Callable[[Any], Any], as_state)


@intrinsic
def trailing_zeros(typingctx: Any, word: Any) -> Any:
    """Index of the lowest set bit; the word must not be zero."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


@intrinsic
def count_ones(typingctx: Any, word: Any) -> Any:
    """Number of set bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.int64), generate


def kernel(function: _KernelFunction) -> _KernelFunction:
    """Compile a kernel; its machine code is cached on disk under the key of its sources."""
    before: Any = config.CACHE_DIR
    config.CACHE_DIR = str(cache_root() / source_key(Path(function.__code__.co_filename)))
    try:
        return cast(_KernelFunction, _for_all_values(numba.njit(cache=True)(function)))
    except RuntimeError:  # no folder can be written: compile in memory
        return cast(_KernelFunction, _for_all_values(numba.njit(function)))
    finally:
        config.CACHE_DIR = before


def _for_all_values(dispatcher: Any) -> Any:
    """The kernel, compiled once for all integers: numba compiles it again for every constant that a call has in it."""
    resolve = dispatcher.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        return resolve(
            [types.unliteral(arg) for arg in args], {name: types.unliteral(arg) for name, arg in kws.items()}
        )

    dispatcher.get_call_template = get_call_template
    return dispatcher
