{#
  Statistics that SQL can do from moments: quantiles of standard distributions and the intervals
  made of them. All intervals are 90 % unless a z is given.
#}

{# Standard normal quantiles that are needed: two-sided 90 % and 99 %. #}
{% macro z_90() -%}
    {{ return('1.6448536269514722e0') }}
{%- endmacro %}

{% macro z_99() -%}
    {{ return('2.5758293035489004e0') }}
{%- endmacro %}

{#
  Student's t quantile at the normal quantile z, by the expansion of Fisher and Cornish (1960),
  https://doi.org/10.1080/00401706.1960.10489895 : within 0.3 % from 3 degrees of freedom up at
  90 %, and within 2 % from 7 up at 99 %. Null below 3 degrees of freedom: no honest interval.
#}
{% macro student_quantile(degrees, z=none) -%}
    {%- set z = (z or z_90()) | float -%}
    {%- set g1 = (z ** 3 + z) / 4 -%}
    {%- set g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 -%}
    {%- set g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384 -%}
    case
        when ({{ degrees }}) >= 3
            then
                {{ z }}e0 + {{ g1 }}e0 / ({{ degrees }})
                + {{ g2 }}e0 / (({{ degrees }}) * ({{ degrees }}))
                + {{ g3 }}e0 / (({{ degrees }}) * ({{ degrees }}) * ({{ degrees }}))
    end
{%- endmacro %}

{#
  Standard normal quantile of a probability from one half up, within 0.0005: Abramowitz and Stegun
  (1964), formula 26.2.23.
#}
{% macro upper_normal_quantile(probability) -%}
    {%- set t = 'sqrt(-2e0 * ln(1e0 - (' ~ probability ~ ')))' -%}
    (
        {{ t }}
        - (2.515517e0 + 0.802853e0 * {{ t }} + 0.010328e0 * {{ t }} * {{ t }})
        / (
            1e0 + 1.432788e0 * {{ t }} + 0.189269e0 * {{ t }} * {{ t }}
            + 0.001308e0 * {{ t }} * {{ t }} * {{ t }}
        )
    )
{%- endmacro %}

{#
  Interval of a share from k events in n trials: Wilson (1927),
  https://doi.org/10.1080/01621459.1927.10502953
#}
{% macro wilson_bound(events, trials, sign, z=none) -%}
    {%- set z = (z or z_90()) | float -%}
    {%- set z2 = z ** 2 -%}
    (
        cast({{ events }} as double) + {{ z2 / 2 }}e0
        {{ sign }} {{ z }}e0 * sqrt(
            greatest(
                cast({{ events }} as double) * ({{ trials }} - {{ events }})
                / nullif({{ trials }}, 0) + {{ z2 / 4 }}e0,
                0e0
            )
        )
    ) / nullif({{ trials }} + {{ z2 }}e0, 0)
{%- endmacro %}

{#
  Welch's variance of a difference of two means and its degrees of freedom (Satterthwaite), from
  counts and sample variances: Welch (1947), https://doi.org/10.1093/biomet/34.1-2.28
#}
{% macro welch_variance(n_a, variance_a, n_b, variance_b) -%}
    ({{ variance_a }} / nullif({{ n_a }}, 0) + {{ variance_b }} / nullif({{ n_b }}, 0))
{%- endmacro %}

{% macro welch_degrees(n_a, variance_a, n_b, variance_b) -%}
    (
        {{ welch_variance(n_a, variance_a, n_b, variance_b) }}
        * {{ welch_variance(n_a, variance_a, n_b, variance_b) }}
        / nullif(
            {{ variance_a }} * {{ variance_a }} / nullif({{ n_a }} * {{ n_a }} * ({{ n_a }} - 1), 0)
            + {{ variance_b }} * {{ variance_b }}
            / nullif({{ n_b }} * {{ n_b }} * ({{ n_b }} - 1), 0),
            0
        )
    )
{%- endmacro %}
