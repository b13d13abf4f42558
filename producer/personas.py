"""The kinds of people the synthetic stream is made of; each kind is one true segment.

Figures are what one such person does on average at the default of about 3.6 events a day; asking
for more events scales the counts and leaves hours, shares and seconds as they are. The personas
overlap on purpose: each differs clearly in a few features and hardly in the others, and no single
feature tells all of them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

INTERESTS: tuple[str, ...] = (
    "Indoor Climbing",
    "Street Food",
    "Board Games",
    "Home Repair",
    "Indie Concerts",
    "Film Nights",
    "Household Budgets",
    "Houseplants",
    "Dog Walks",
    "City Breaks",
    "Vintage Fashion",
    "Electronics",
    "Stargazing",
    "Baking",
    "Cycling",
    "Football",
)


@dataclass(frozen=True)
class Persona:
    """One kind of person: the means around which its users vary.

    Attributes:
        name: Short, unique.
        weekday_hours: Session hours per Monday … Friday.
        weekend_hours: Session hours per Saturday or Sunday.
        sessions: Sessions per day.
        page_views: Page views per day.
        reactions: Reactions per day.
        follows: Follows per day; a fifth as many unfollows.
        impressions: Ad impressions per day.
        ctr: Clicks per impression.
        conversion_rate: Conversions per click.
        ad_seconds: Mean seconds of an ad engagement.
        mobile_share: Share of events from a mobile; the rest is mostly desktop.
        breadth: Effective number of interests, exp(entropy), at most 15.
        favourites: Interests from the strongest down; the rest of `INTERESTS` follows.
        amount: Median amount of a conversion, in units of currency.
        weekend_factor: Events on a weekend day ÷ events on a weekday.
        peaks: The day's rhythm: (hour UTC, width in hours, weight) of each bump.
        ages: Likely age groups, for the traits of profile events.
        incomes: Likely income groups.
    """

    name: str
    weekday_hours: float
    weekend_hours: float
    sessions: float
    page_views: float
    reactions: float
    follows: float
    impressions: float
    ctr: float
    conversion_rate: float
    ad_seconds: float
    mobile_share: float
    breadth: float
    favourites: tuple[str, ...]
    amount: float
    weekend_factor: float
    peaks: tuple[tuple[float, float, float], ...]
    ages: tuple[str, ...]
    incomes: tuple[str, ...]


PERSONAS: tuple[Persona, ...] = (
    Persona(
        name="weekend streamer",
        weekday_hours=0.7,
        weekend_hours=4.8,
        sessions=0.7,
        page_views=0.4,
        reactions=0.35,
        follows=0.03,
        impressions=1.2,
        ctr=0.1,
        conversion_rate=0.12,
        ad_seconds=8.0,
        mobile_share=0.35,
        breadth=4.5,
        favourites=("Film Nights", "Street Food", "Football"),
        amount=18.0,
        weekend_factor=2.2,
        peaks=((20.5, 2.0, 0.8), (14.0, 2.5, 0.2)),
        ages=("25-34", "35-44"),
        incomes=("20k-40k", "40k-60k"),
    ),
    Persona(
        name="commuting reader",
        weekday_hours=1.9,
        weekend_hours=0.8,
        sessions=0.9,
        page_views=2.0,
        reactions=0.12,
        follows=0.03,
        impressions=1.1,
        ctr=0.11,
        conversion_rate=0.15,
        ad_seconds=14.0,
        mobile_share=0.9,
        breadth=8.5,
        favourites=("Household Budgets", "City Breaks", "Cycling"),
        amount=25.0,
        weekend_factor=0.5,
        peaks=((7.5, 0.8, 0.5), (17.8, 1.0, 0.5)),
        ages=("25-34", "35-44", "45-54"),
        incomes=("40k-60k", "60k-80k"),
    ),
    Persona(
        name="bargain hunter",
        weekday_hours=0.9,
        weekend_hours=1.2,
        sessions=0.6,
        page_views=1.2,
        reactions=0.2,
        follows=0.06,
        impressions=1.5,
        ctr=0.32,
        conversion_rate=0.4,
        ad_seconds=42.0,
        mobile_share=0.6,
        breadth=11.0,
        favourites=("Vintage Fashion", "Baking", "Household Budgets"),
        amount=22.0,
        weekend_factor=1.3,
        peaks=((12.5, 1.2, 0.4), (20.0, 2.0, 0.6)),
        ages=("35-44", "45-54"),
        incomes=("0-20k", "20k-40k"),
    ),
    Persona(
        name="office researcher",
        weekday_hours=4.2,
        weekend_hours=0.5,
        sessions=0.8,
        page_views=2.0,
        reactions=0.1,
        follows=0.02,
        impressions=1.0,
        ctr=0.1,
        conversion_rate=0.2,
        ad_seconds=26.0,
        mobile_share=0.1,
        breadth=3.2,
        favourites=("Electronics", "Stargazing", "Household Budgets"),
        amount=90.0,
        weekend_factor=0.35,
        peaks=((10.0, 1.5, 0.5), (14.5, 1.8, 0.5)),
        ages=("35-44", "45-54", "55-64"),
        incomes=("60k-80k", "80k-100k", "100k+"),
    ),
    Persona(
        name="social regular",
        weekday_hours=2.3,
        weekend_hours=2.8,
        sessions=0.9,
        page_views=0.7,
        reactions=2.2,
        follows=0.22,
        impressions=1.1,
        ctr=0.16,
        conversion_rate=0.1,
        ad_seconds=9.0,
        mobile_share=0.88,
        breadth=6.0,
        favourites=("Indie Concerts", "Vintage Fashion", "Dog Walks"),
        amount=15.0,
        weekend_factor=1.2,
        peaks=((12.5, 1.0, 0.2), (18.0, 2.0, 0.4), (22.0, 1.5, 0.4)),
        ages=("18-24", "25-34"),
        incomes=("0-20k", "20k-40k"),
    ),
    Persona(
        name="night player",
        weekday_hours=2.9,
        weekend_hours=6.2,
        sessions=0.8,
        page_views=0.35,
        reactions=0.6,
        follows=0.06,
        impressions=1.2,
        ctr=0.2,
        conversion_rate=0.1,
        ad_seconds=60.0,
        mobile_share=0.2,
        breadth=2.2,
        favourites=("Board Games", "Electronics", "Film Nights"),
        amount=30.0,
        weekend_factor=1.4,
        peaks=((23.0, 2.2, 0.8), (2.0, 1.0, 0.2)),
        ages=("18-24", "25-34"),
        incomes=("20k-40k", "40k-60k"),
    ),
    Persona(
        name="window shopper",
        weekday_hours=0.9,
        weekend_hours=1.5,
        sessions=0.5,
        page_views=2.2,
        reactions=0.4,
        follows=0.15,
        impressions=1.5,
        ctr=0.34,
        conversion_rate=0.05,
        ad_seconds=15.0,
        mobile_share=0.7,
        breadth=11.0,
        favourites=("Houseplants", "City Breaks", "Vintage Fashion"),
        amount=40.0,
        weekend_factor=1.5,
        peaks=((13.0, 2.0, 0.4), (21.0, 1.5, 0.6)),
        ages=("25-34", "35-44"),
        incomes=("40k-60k", "60k-80k"),
    ),
    Persona(
        name="loyal customer",
        weekday_hours=0.6,
        weekend_hours=0.7,
        sessions=0.5,
        page_views=0.5,
        reactions=0.15,
        follows=0.03,
        impressions=1.3,
        ctr=0.24,
        conversion_rate=0.55,
        ad_seconds=45.0,
        mobile_share=0.4,
        breadth=2.6,
        favourites=("Dog Walks", "Baking", "Home Repair"),
        amount=55.0,
        weekend_factor=1.0,
        peaks=((9.0, 1.5, 0.5), (19.0, 1.5, 0.5)),
        ages=("45-54", "55-64", "65+"),
        incomes=("60k-80k", "80k-100k"),
    ),
    Persona(
        name="project planner",
        weekday_hours=1.2,
        weekend_hours=3.6,
        sessions=0.6,
        page_views=2.1,
        reactions=0.1,
        follows=0.04,
        impressions=1.0,
        ctr=0.14,
        conversion_rate=0.4,
        ad_seconds=60.0,
        mobile_share=0.15,
        breadth=5.0,
        favourites=("Home Repair", "Houseplants", "Cycling"),
        amount=120.0,
        weekend_factor=1.9,
        peaks=((9.5, 1.5, 0.5), (16.0, 2.0, 0.5)),
        ages=("35-44", "45-54", "55-64"),
        incomes=("40k-60k", "60k-80k", "80k-100k"),
    ),
    Persona(
        name="headline skimmer",
        weekday_hours=0.35,
        weekend_hours=0.35,
        sessions=1.2,
        page_views=1.2,
        reactions=0.6,
        follows=0.02,
        impressions=1.2,
        ctr=0.06,
        conversion_rate=0.1,
        ad_seconds=5.0,
        mobile_share=0.92,
        breadth=11.0,
        favourites=("Football", "Household Budgets", "Street Food"),
        amount=20.0,
        weekend_factor=0.9,
        peaks=((7.0, 1.0, 0.4), (12.5, 1.0, 0.3), (22.0, 1.0, 0.3)),
        ages=("45-54", "55-64", "65+"),
        incomes=("20k-40k", "40k-60k"),
    ),
    Persona(
        name="evening athlete",
        weekday_hours=0.9,
        weekend_hours=1.1,
        sessions=0.7,
        page_views=0.4,
        reactions=1.8,
        follows=0.12,
        impressions=1.1,
        ctr=0.12,
        conversion_rate=0.3,
        ad_seconds=24.0,
        mobile_share=0.8,
        breadth=2.2,
        favourites=("Indoor Climbing", "Cycling", "Football"),
        amount=60.0,
        weekend_factor=1.1,
        peaks=((6.5, 0.8, 0.4), (18.5, 1.2, 0.6)),
        ages=("18-24", "25-34", "35-44"),
        incomes=("40k-60k", "60k-80k"),
    ),
    Persona(
        name="late-night student",
        weekday_hours=5.0,
        weekend_hours=1.8,
        sessions=1.0,
        page_views=1.0,
        reactions=1.2,
        follows=0.1,
        impressions=1.1,
        ctr=0.05,
        conversion_rate=0.06,
        ad_seconds=7.0,
        mobile_share=0.5,
        breadth=9.5,
        favourites=("Stargazing", "Indie Concerts", "Street Food"),
        amount=12.0,
        weekend_factor=0.7,
        peaks=((0.5, 1.5, 0.4), (15.0, 2.0, 0.6)),
        ages=("18-24",),
        incomes=("0-20k",),
    ),
)
