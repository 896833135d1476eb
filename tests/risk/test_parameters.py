"""Site models and their parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wholedose.base import InvalidInput, UnknownName
from wholedose.risk import site, sites
from wholedose.risk.parameters import LeukaemiaSlope, Slope, constant


def solid(name: str, transfer: str, sex: str) -> Slope:
    slope = site(name).slope("ERR" if transfer == "ERR" else "EAR", sex)
    assert isinstance(slope, Slope)
    return slope


def test_spot_values_of_the_published_table() -> None:
    """First and last printed values of the source, and one between, are in the table."""
    assert solid("oral", "ERR", "M").beta == 0.23
    assert solid("lung", "ERR", "F").beta == 1.4
    assert solid("lung", "EAR", "F").beta == pytest.approx(3.4e-4)
    assert solid("thyroid", "ERR", "F").beta == 1.05
    assert solid("bladder", "EAR", "M").eta == 6.0


def test_log_normal_spread_follows_from_the_limits() -> None:
    """sigma = ln(hi/lo) / 3.92, and beta stays positive at any deviate."""
    slope = solid("lung", "ERR", "F")
    assert slope.sd_log == pytest.approx(math.log(2.1 / 0.94) / 3.92)
    assert (slope.beta_at(np.array([-5.0, 5.0])) > 0).all()


def test_a_slope_with_a_negative_limit_stays_signed() -> None:
    """Prostate's limit below zero is kept: the 2.5 % point is negative, the 97.5 % point as printed."""
    slope = solid("prostate", "ERR", "M")
    low, high = slope.beta_at(np.array([-1.96, 1.96]))
    assert high == pytest.approx(0.69)
    assert low == pytest.approx(0.12 - (0.69 - 0.12))
    assert solid("kidney", "ERR", "F").beta_at(np.array([-1.96]))[0] == pytest.approx(-0.012)


def test_reference_ages_give_beta_itself() -> None:
    """At the reference ages the modifier is 1: 30 and 60, and 25 and 50 for the breast."""
    assert solid("colon", "EAR", "M").modifier(30.0)[60] == pytest.approx(1.0)
    assert solid("breast", "EAR", "F").modifier(25.0)[50] == pytest.approx(1.0)
    assert solid("breast", "EAR", "F").modifier(25.0)[100] == pytest.approx(2.0)
    assert solid("breast", "EAR", "F").modifier(25.0)[25] == pytest.approx(0.5**3.5)


def test_age_at_exposure_is_truncated_at_30_but_not_for_thyroid_and_breast() -> None:
    """Above 30 years the solid modifier stays, the thyroid's and breast's falls on."""
    lung, thyroid = solid("lung", "ERR", "F"), solid("thyroid", "ERR", "F")
    assert lung.modifier(60.0)[70] == lung.modifier(30.0)[70]
    assert thyroid.modifier(60.0)[70] == pytest.approx(math.exp(-0.83 * 3.0))
    assert solid("breast", "EAR", "F").modifier(55.0)[50] == pytest.approx(math.exp(-0.5 * 3.0))


def test_leukaemia_covariances_are_symmetric_and_not_negative() -> None:
    """Each 5 by 5 covariance is a covariance: symmetric, no negative eigenvalue beyond rounding."""
    for sex in ("F", "M"):
        for transfer in ("ERR", "EAR"):
            slope = site("leukaemia").slope("ERR" if transfer == "ERR" else "EAR", sex)
            assert isinstance(slope, LeukaemiaSlope)
            np.testing.assert_array_equal(slope.covariance, slope.covariance.T)
            assert np.linalg.eigvalsh(slope.covariance).min() > -1e-9


def test_protracted_leukaemia_dose_is_linear() -> None:
    """The quadratic term belongs to acute doses only."""
    slope = site("leukaemia").slope("ERR", "M")
    assert isinstance(slope, LeukaemiaSlope)
    assert slope.dose_response(1.0) == pytest.approx(1.1 * 1.87)
    assert slope.dose_response(1.0, acute=False) == pytest.approx(1.1)


def test_sites_of_each_sex() -> None:
    """Breast, ovary and uterus are women's, prostate is men's; asking the other sex says so."""
    assert site("prostate").sexes() == ("M",)
    assert {name for name, spot in sites().items() if spot.sexes() == ("F",)} == {"breast", "ovary", "uterus"}
    with pytest.raises(InvalidInput, match="The risk of ovary cancer is modelled in women only"):
        site("ovary").require("M")


def test_names_are_forgiving_and_unknown_ones_list_the_sites() -> None:
    """American and code spellings find the site; a wrong one lists all."""
    assert site("leukemia") is site("leukaemia")
    assert site("Brain/CNS").name == "brain_cns"
    with pytest.raises(UnknownName, match=r"did you mean 'stomach'.*Known: bladder"):
        site("stomac")
    with pytest.raises(UnknownName, match="No constant 'pi'"):
        constant("pi")
