namespace Gateway.Units;

/// <summary>Which units of a lot may be reported as good packs, and why the others may not.</summary>
public static class ReleasableUnits
{
    /// <summary>
    /// Selects the serial number and, of what is left out, why, for <c>@gtin</c>, <c>@lot</c> and <c>@mustBePacked</c>. What is packed is where its outermost container is, and is held with it.
    /// </summary>
    /// <remarks>The states are <see cref="UnitState"/>; of the flags 1 is commissioned once and 4 waiting.</remarks>
    public const string Query = """
        with recursive own as materialized (
            select u.key, u.parent_id, u.state, u.flags, u.holds is not null as is_held from lot l join unit u using (lot_id) where l.gtin = @gtin and l.lot = @lot and starts_with(u.key, '01' || @gtin)),
        around (unit_id, parent_id, state, is_held) as (
            select c.unit_id, c.parent_id, c.state, c.holds is not null from (select distinct parent_id from own where parent_id is not null) o join unit c on c.unit_id = o.parent_id
            union select c.unit_id, c.parent_id, c.state, c.holds is not null from around a join unit c on c.unit_id = a.parent_id),
        topped (unit_id, state, is_held) as (
            select unit_id, state, is_held from around where parent_id is null
            union all select a.unit_id, t.state, t.is_held or a.is_held from topped t join around a on a.parent_id = t.unit_id)
        select substr(o.key, 19) as serial,
            case when o.flags & 1 = 0 or o.flags & 4 <> 0 or o.parent_id is not null and t.unit_id is null then 'incomplete'
                else case coalesce(t.state, o.state) when 8 then 'sampled' when 9 then 'decommissioned' when 10 then 'destroyed' when 102 then 'rejected' when 103 then 'returned'
                    when 7 then case when o.is_held or t.is_held then 'held' when @mustBePacked and o.parent_id is null then 'loose' end
                    when 11 then case when o.is_held or t.is_held then 'held' end
                    else 'incomplete' end
            end as why
        from own o left join topped t on t.unit_id = o.parent_id
        """;
}
