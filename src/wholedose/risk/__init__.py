"""What a dose means: lifetime risk of cancer, by named models, with interval and shares of variance."""

from wholedose.risk.appraisal import Appraisal, appraise, models
from wholedose.risk.bands import Band, band, bands, personal_number
from wholedose.risk.exposure import Exposure, ExposureLike, exposures_of
from wholedose.risk.lifetime import Latency, LifetimeRisk, lifetime_risk
from wholedose.risk.nominal import PopulationReading, TissueReading, population_reading
from wholedose.risk.parameters import Site, site, sites
from wholedose.risk.rates import Rates, population, populations
from wholedose.risk.readings import PersonReading, SiteReading
from wholedose.risk.sampling import Draws, Interval, triangular_quantile
from wholedose.risk.uncertainty import BEIR_VII, RADRAT_CENTRAL, RiskModel

__all__ = [
    "BEIR_VII",
    "RADRAT_CENTRAL",
    "Appraisal",
    "Band",
    "Draws",
    "Exposure",
    "ExposureLike",
    "Interval",
    "Latency",
    "LifetimeRisk",
    "PersonReading",
    "PopulationReading",
    "Rates",
    "RiskModel",
    "Site",
    "SiteReading",
    "TissueReading",
    "appraise",
    "band",
    "bands",
    "exposures_of",
    "lifetime_risk",
    "models",
    "personal_number",
    "population",
    "population_reading",
    "populations",
    "site",
    "sites",
    "triangular_quantile",
]
