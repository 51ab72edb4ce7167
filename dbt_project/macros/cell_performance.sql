{#
  Two dimensions at once. A cell of both holds few posts, so what is said about it is what its two
  segments' own effects make together; its own figure stands beside that from a minimum of posts on.

  relative_to 'usual': cells against the account's usual post; the two effects multiply.
  relative_to 'first': cells against the usual post of the first dimension's segment, so that only
  the second one's effect counts, against the usual of posts that have the second dimension.
#}
{% macro cell_performance(first, second, relative_to='usual', first_type='string', second_type='string') -%}
{%- set account = 'account_name, platform, outcome' -%}
{%- set base = account if relative_to == 'usual' else account ~ ', first_segment' -%}
moments as (

    select * from {{ ref('int_cells__moments') }}
    where first_dimension = '{{ first }}' and second_dimension = '{{ second }}'

),

effects as (

    select
        account_name,
        platform,
        outcome,
        dimension,
        segment,
        verdict,
        effect,
        ln(effect) as log_effect,
        -- The interval is not pooled, the point is: the interval's middle is the segment's own.
        (ln(effect_low) + ln(effect_high)) / 2e0 as log_middle,
        (ln(effect_high) - ln(effect_low)) / 2e0 as half_width,
        ratio_to_dimension
    from (
        select
            *,
            exp(
                sum(n * ln(effect)) over (partition by account_name, platform, dimension, outcome)
                / nullif(
                    sum(case when effect is not null then n end)
                        over (partition by account_name, platform, dimension, outcome),
                    0
                )
            ) as ratio_to_dimension
        from {{ source('stats', 'segment_effects') }}
        where dimension in ('{{ first }}', '{{ second }}')
    ) as with_usual

),

compared as (

    select
        moments.*,
        sum(moments.n) over (partition by {{ base }}) as base_n,
        sum(moments.n * moments.log_mean) over (partition by {{ base }})
        / nullif(sum(moments.n) over (partition by {{ base }}), 0) as base_log_mean,
        sum(moments.n) over (partition by {{ account }})
        - sum(case when moments.n > 0 then 1 else 0 end) over (partition by {{ account }})
            as degrees,
        sum(moments.log_squared_deviations) over (partition by {{ account }})
            as squared_deviations
    from moments

),

pooled as (

    select
        compared.*,
        firsts.effect as first_effect,
        firsts.verdict as first_verdict,
        seconds.effect as second_effect,
        seconds.verdict as second_verdict,
        {% if relative_to == 'usual' %}
        firsts.log_effect + seconds.log_effect as pooled_log_effect,
        firsts.log_middle + seconds.log_middle as pooled_log_middle,
        sqrt(
            firsts.half_width * firsts.half_width + seconds.half_width * seconds.half_width
        ) as pooled_half_width,
        firsts.verdict = 'better' or seconds.verdict = 'better' as has_better,
        firsts.verdict = 'worse' or seconds.verdict = 'worse' as has_worse,
        {% else %}
        seconds.log_effect - ln(seconds.ratio_to_dimension) as pooled_log_effect,
        seconds.log_middle - ln(seconds.ratio_to_dimension) as pooled_log_middle,
        seconds.half_width as pooled_half_width,
        seconds.verdict = 'better' as has_better,
        seconds.verdict = 'worse' as has_worse,
        {% endif %}
        case
            when
                compared.n >= {{ minimum_posts_for_verdict() }}
                and compared.base_n - compared.n >= {{ minimum_posts() }}
                and compared.degrees >= 3
                then
                    sqrt(
                        compared.squared_deviations / compared.degrees
                        * (1e0 / compared.n - 1e0 / nullif(compared.base_n, 0))
                    )
        end as cell_error
    from compared
    left join effects as firsts
        on
            compared.account_name = firsts.account_name
            and compared.platform = firsts.platform
            and compared.outcome = firsts.outcome
            and compared.first_segment = firsts.segment
            and firsts.dimension = '{{ first }}'
    left join effects as seconds
        on
            compared.account_name = seconds.account_name
            and compared.platform = seconds.platform
            and compared.outcome = seconds.outcome
            and compared.second_segment = seconds.segment
            and seconds.dimension = '{{ second }}'

),

among_cells as (

    select
        *,
        case
            when cell_error is not null then log_mean - base_log_mean
        end as cell_log_effect,
        ({{ student_quantile('degrees') }}) * cell_error as cell_half_width,
        count(cell_error) over (partition by {{ base }}) as cell_count,
        avg(cell_error) over (partition by {{ base }}) as cell_error_mean
    from pooled

),

cell_performance as (

    select
        account_name,
        platform,
        outcome,
        cast(first_segment as {{ first_type }}) as {{ 'local_weekday' if first == 'weekday' else first }},
        cast(second_segment as {{ second_type }}) as {{ second }},
        post_count,
        n,
        median,
        {{ stable('first_effect') }} as {{ first }}_effect,
        {{ stable('second_effect') }} as {{ second }}_effect,
        -- The point is pooled further than the interval, and must not leave it.
        {{ stable('exp(least(greatest(pooled_log_effect, pooled_log_middle - pooled_half_width), pooled_log_middle + pooled_half_width))') }}
            as pooled_effect,
        {{ stable('exp(pooled_log_middle - pooled_half_width)') }} as pooled_effect_low,
        {{ stable('exp(pooled_log_middle + pooled_half_width)') }} as pooled_effect_high,
        {{ stable('exp(cell_log_effect)') }} as cell_effect,
        {{ stable('exp(cell_log_effect - cell_half_width)') }} as cell_effect_low,
        {{ stable('exp(cell_log_effect + cell_half_width)') }} as cell_effect_high,
        case
            when cell_error is not null and cell_count >= 2
                then {{ stable('exp(' ~ upper_normal_quantile('power(0.5e0, 1e0 / nullif(cell_count, 0))') ~ ' * cell_error_mean)') }}
        end as cell_null_best,
        case
            when cell_error is not null then 'cell'
            when pooled_log_effect is not null then 'pooled'
            else 'not_enough_data'
        end as basis,
        case
            when pooled_log_effect is null then 'not_enough_data'
            when has_better and pooled_log_middle - pooled_half_width > 0 then 'better'
            when has_worse and pooled_log_middle + pooled_half_width < 0 then 'worse'
            else 'no_clear_difference'
        end as verdict,
        {{ posts_needed('n', 'nullif(base_n, 0)') }} as posts_needed
    from among_cells

)
{%- endmacro %}
