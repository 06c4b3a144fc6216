"""The decoder and the ways to decode: the cache changes nothing, rows are strangers, beams find the best, drawing is fair."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from assay.losses.caption import caption
from assay.models.bpe import END, PAD
from assay.models.decoders import Cache, CausalDecoder
from assay.models.generation import Decoding, decode, nucleus


def decoder(*, cross: bool = False, vocabulary: int = 40) -> CausalDecoder:
    torch.manual_seed(0)
    net = CausalDecoder(vocabulary, 32, layers=2, heads=4, length=24, cross=cross).eval()
    # Larger weights than a fresh net's: else all answers are alike.
    with torch.no_grad():
        for p in net.parameters():
            if p.ndim > 1:
                p.mul_(3)
    return net


def read(net: CausalDecoder, ids: Tensor, memory: Tensor | None = None, cache: Cache | None = None):
    return net(net.embed(ids), ids != PAD, memory=memory, cache=cache)


@pytest.fixture(params=[False, True], ids=["causal", "cross"])
def net(request: pytest.FixtureRequest) -> CausalDecoder:
    return decoder(cross=request.param)


def memory_for(net: CausalDecoder, n: int) -> Tensor | None:
    return torch.randn(n, 5, 32, generator=torch.Generator().manual_seed(3)) if net.cross else None


IDS = torch.tensor([[5, 6, 7, 8, 9], [11, 12, 13, 0, 0]])


def test_the_cache_changes_nothing(net: CausalDecoder) -> None:
    whole, _ = read(net, IDS, memory_for(net, 2))
    first, cache = read(net, IDS[:, :2], memory_for(net, 2))
    second, cache = read(net, IDS[:, 2:4], cache=cache)
    third, _ = read(net, IDS[:, 4:], cache=cache)
    seen = (IDS != PAD)[..., None]
    torch.testing.assert_close(torch.cat([first, second, third], 1) * seen, whole * seen, atol=1e-5, rtol=1e-5)


def test_what_comes_later_is_not_seen(net: CausalDecoder) -> None:
    other = IDS.clone()
    other[:, 3:] = 20
    a, _ = read(net, IDS, memory_for(net, 2))
    b, _ = read(net, other, memory_for(net, 2))
    torch.testing.assert_close(a[:, :3], b[:, :3])
    assert not torch.allclose(a[0, 3:], b[0, 3:])


def test_padding_between_changes_nothing(net: CausalDecoder) -> None:
    tight, _ = read(net, torch.tensor([[5, 6, 7]]), memory_for(net, 1))
    loose, _ = read(net, torch.tensor([[5, 6, 0, 0, 7]]), memory_for(net, 1))
    torch.testing.assert_close(loose[:, [0, 1, 4]], tight, atol=1e-5, rtol=1e-5)


def test_it_says_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="at most 24 positions, got 30"):
        read(decoder(), torch.full((1, 30), 5))
    with pytest.raises(ValueError, match="without cross attention"):
        read(decoder(), IDS, torch.zeros(2, 5, 32))
    with pytest.raises(ValueError, match=r"CausalDecoder expects a tensor \[n, t, 32\], got \[2, 5, 16\]"):
        decoder()(torch.zeros(2, 5, 16), IDS != PAD)


def test_the_first_loss_is_ln_of_the_vocabulary() -> None:
    torch.manual_seed(0)
    net = CausalDecoder(500, 64)
    ids = torch.randint(3, 500, (16, 12))
    states, _ = read(net, ids)
    assert float(caption(net.logits(states[:, :-1]), ids[:, 1:]).detach()) == pytest.approx(math.log(500), abs=0.1)


def test_every_weight_learns(net: CausalDecoder) -> None:
    states, _ = read(net, IDS, memory_for(net, 2))
    caption(net.logits(states[:, :-1]), IDS[:, 1:]).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def answers(net: CausalDecoder, ids: Tensor, how: Decoding, seeds: list[int] | None = None) -> list[list[int]]:
    def step(tokens: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        states, cache = read(net, tokens[:, None], cache=cache)
        return net.logits(states[:, -1]), cache

    generators = [torch.Generator().manual_seed(seed) for seed in seeds or []]
    with torch.inference_mode():
        # The last token stands alone behind the padding, as the start of an answer does.
        states, cache = read(net, torch.cat([ids, torch.full((len(ids), 1), 1)], 1), memory_for(net, len(ids)))
        return decode(net.logits(states[:, -1]), cache, step, how, generators)


MANY = torch.tensor([[5, 6, 7], [11, 12, 0], [13, 0, 0], [30, 31, 32]])
WAYS = [Decoding(max_tokens=8), Decoding(beams=3, max_tokens=8), Decoding(temperature=1.0, top_p=0.9, max_tokens=8)]


@pytest.mark.parametrize("how", WAYS, ids=["greedy", "beams", "drawn"])
def test_a_row_is_answered_as_if_it_were_alone(how: Decoding) -> None:
    net = decoder()
    seeds = [7, 8, 9, 10]
    together = answers(net, MANY, how, seeds)
    assert together == [answers(net, MANY[i : i + 1], how, seeds[i : i + 1])[0] for i in range(4)]
    assert together == answers(net, MANY, how, seeds)
    assert len({tuple(row) for row in together}) > 1 and all(len(row) <= 8 for row in together)


def test_one_beam_is_greedy() -> None:
    net = decoder()
    assert answers(net, MANY, Decoding(beams=1, max_tokens=6)) == answers(net, MANY, Decoding(max_tokens=6))


class Written(nn.Module):
    """A model of three letters and an end whose probabilities depend on what was written, so that all can be listed."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(4)
        self.tables = torch.randn(5, 7, 7, generator=generator) * 2

    def logits(self, place: int, last: int) -> Tensor:
        scores = self.tables[place, last].clone()
        scores[1] = float("-inf")  # no start inside an answer
        return scores


def test_enough_beams_find_the_best_of_all_answers() -> None:
    written = Written()
    letters, longest = (3, 4, 5, 6), 3

    def cost(answer: tuple[int, ...]) -> float:
        total, last = 0.0, 0
        for place, token in enumerate((*answer, END)[:longest]):
            scores = written.logits(place, last)
            scores[PAD] = float("-inf")
            total += float(scores.log_softmax(0)[token])
            last = token
        return total

    every = [a for n in range(longest + 1) for a in itertools.product(letters, repeat=n)]
    places: list[int] = []

    def step(tokens: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        places.append(0)
        return torch.stack([written.logits(len(places), int(token)) for token in tokens]), cache

    empty = Cache((), torch.ones(1, 1, dtype=torch.bool))
    best = decode(written.logits(0, 0)[None], empty, step, Decoding(beams=200, max_tokens=longest))[0]
    assert tuple(best) == max(every, key=cost)


def test_an_answer_ends_where_it_says_so_and_never_holds_padding() -> None:
    def step(tokens: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        logits = torch.zeros(len(tokens), 6)
        logits[:, PAD] = 9.0
        logits[torch.arange(len(tokens)), torch.where(tokens == 5, END, tokens + 1)] = 5.0
        return logits, cache

    first = torch.zeros(2, 6)
    first[0, 3], first[1, END] = 5.0, 5.0
    cache = Cache((), torch.ones(2, 1, dtype=torch.bool))
    for how in (Decoding(max_tokens=9), Decoding(beams=2, max_tokens=9)):
        assert decode(first, cache, step, how) == [[3, 4, 5], []]


def test_a_nucleus_holds_the_likeliest_and_no_more_than_needed() -> None:
    p = torch.tensor([[0.5, 0.3, 0.15, 0.05]])
    assert (nucleus(p, 0.5) > 0).tolist() == [[True, False, False, False]]
    assert (nucleus(p, 0.51) > 0).tolist() == [[True, True, False, False]]
    torch.testing.assert_close(nucleus(p, 1.0), p)
    assert (nucleus(p, 1e-9) > 0).sum() == 1


def test_drawing_follows_the_probabilities() -> None:
    logits = torch.tensor([0.0, 0.0, 0.0, 0.6, 0.3, 0.1]).log().expand(3000, -1)
    generators = [torch.Generator().manual_seed(i) for i in range(3000)]
    cache = Cache((), torch.ones(3000, 1, dtype=torch.bool))
    drawn = decode(logits, cache, lambda t, c: (logits, c), Decoding(temperature=1.0, max_tokens=1), generators)
    shares = torch.tensor([row[0] for row in drawn]).bincount(minlength=6)[3:] / 3000
    torch.testing.assert_close(shares, torch.tensor([0.6, 0.3, 0.1]), atol=0.03, rtol=0)


@pytest.mark.parametrize(
    "wrong",
    [{"beams": 0}, {"max_tokens": 0}, {"temperature": -1.0}, {"temperature": math.nan}, {"top_p": 0.0}, {"top_p": 2.0}],
)
def test_ways_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected|must"):
        Decoding(**wrong)


def test_drawing_needs_a_generator_for_each_row() -> None:
    with pytest.raises(ValueError, match="a generator for each of 4 rows, got 0"):
        answers(decoder(), MANY, Decoding(temperature=1.0))
