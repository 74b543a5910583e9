namespace Gateway.Units;

// What is in what (LINES.md section 3).
public sealed partial class UnitBook
{
    private void Pack(UnitFact fact)
    {
        if (Named(fact.Parent!, fact) is not { } parent)
        {
            SeeOnly(fact);
            return;
        }
        if (parent.IsUnheardOf)
        {
            Await(parent, fact, [.. _named]);
            AwaitUnheardOf(fact, parent);
            return;
        }
        var top = parent.Top;
        ImplyReceipt(top, fact);
        if (top.State != UnitState.Commissioned)
        {
            Tell(UnitCodes.ParentUnknown, parent, fact);
            parent.Hold(UnitCodes.ParentUnknown);
            foreach (var child in _named)
            {
                child.Hold(UnitCodes.ParentUnknown);
            }
            return;
        }
        See(top, fact);
        Flag(parent, fact);
        foreach (var child in _named)
        {
            if (child.IsUnheardOf)
            {
                Await(child, fact, [parent]);
            }
            else if (child.Parent != parent || child == parent)
            {
                PackOne(child, parent, fact);
            }
        }
        if (fact.IsClosing)
        {
            Close(parent, fact);
        }
    }

    // The container is none of the ledger's: only where its contents were seen is known.
    private void SeeOnly(UnitFact fact)
    {
        var seen = fact with { Kind = FactKind.Observe };
        foreach (var unit in _named)
        {
            Happen(unit, seen);
        }
    }

    private void PackOne(Unit child, Unit parent, UnitFact fact)
    {
        ImplyReceipt(child.Top, fact);
        if (WhyNot(child, parent) is { } code)
        {
            Tell(code, child, fact, parent);
            child.Hold(code);
            parent.Hold(code);
            if (code == UnitCodes.SecondParent)
            {
                child.Parent!.Hold(code);
            }
            return;
        }
        Close(child, fact);
        child.Enter(parent);
        parent.ContentLot ??= child.Lot;
        if (parent.Level == 0 && child.Level > 0 && SpecificationOf(parent) is null)
        {
            parent.Level = (byte)(child.Level + 1);
        }
        Touch(parent, fact.Stamp);
    }

    /// <summary>The code of the first rule of LINES.md section 3 that the link would break.</summary>
    private string? WhyNot(Unit child, Unit parent)
    {
        if (child.Top.State != UnitState.Commissioned)
        {
            return UnitCodes.ChildNotActive;
        }
        if (child == parent || child.Children > 0 && IsWithin(parent, child))
        {
            return UnitCodes.Cycle;
        }
        if (child.Parent is not null)
        {
            return UnitCodes.SecondParent;
        }
        var (container, content) = (SpecificationOf(parent), SpecificationOf(child));
        if (container?.Content is { } gtin && !UnitKey.GtinOf(child.Key).SequenceEqual(gtin) || parent.Level > 0 && child.Level > 0 && child.Level + 1 != parent.Level)
        {
            return UnitCodes.Level;
        }
        var capacity = UnitKey.GtinOf(parent.Key).IsEmpty ? content?.PerLogisticUnit : container?.Capacity;
        if (parent.Children >= capacity)
        {
            return UnitCodes.OverCapacity;
        }
        return container is { IsOfOneLot: true } && !parent.Has(UnitFlags.Mixed) && (parent.Lot ?? parent.ContentLot) is { } lot && child.Lot is { } own && own != lot
            ? UnitCodes.LotMixed
            : null;
    }

    private void Unpack(UnitFact fact)
    {
        if (Named(fact.Parent!, fact) is not { } parent)
        {
            SeeOnly(fact);
            return;
        }
        if (parent.IsUnheardOf)
        {
            Await(parent, fact, []);
            AwaitUnheardOf(fact, parent);
            return;
        }
        var top = parent.Top;
        ImplyReceipt(top, fact);
        if (Next(top.State, top, fact.Kind) is null)
        {
            Refuse(parent, fact);
            return;
        }
        See(top, fact);
        if (fact.Epcs.Count == 0)
        {
            _named.AddRange(parent.Contents);
        }
        foreach (var child in _named)
        {
            if (child.IsUnheardOf)
            {
                Await(child, fact, [parent]);
            }
            else if (child.Parent != parent)
            {
                Tell(UnitCodes.NotChild, child, fact, parent);
                child.Hold(UnitCodes.NotChild);
                parent.Hold(UnitCodes.NotChild);
            }
            else
            {
                Touch(child, fact.Stamp);
                Leave(child, top);
            }
        }
    }

    /// <summary>What leaves a container takes over what the container was: its state, its place, and why events held it or what it is in.</summary>
    private void Leave(Unit child, Unit top)
    {
        var parent = child.Parent!;
        (child.State, child.Reason, child.Holder, child.Location) = (top.State, top.Reason, top.Holder, top.Location);
        const UnitFlags taken = UnitFlags.ReceiptInferred | UnitFlags.SeenElsewhere;
        child.Flags = child.Flags & ~taken | top.Flags & taken;
        for (var container = parent; container is not null; container = container.Parent)
        {
            for (var i = 0; i < container.Holds.Count; i++)
            {
                if (IsOfEvents(container.Holds[i]))
                {
                    child.Hold(container.Holds[i]);
                }
            }
        }
        child.Leave();
        if (parent.Children == 0)
        {
            parent.ContentLot = null;
            parent.Set(UnitFlags.Closed | UnitFlags.Partial | UnitFlags.Mixed, false);
            parent.Level = SpecificationOf(parent)?.Level ?? 0;
        }
    }

    /// <summary>
    /// A container is closed when its line says so, or when it is packed away or shipped, once until it is empty; then it is full, or flagged as partial. If
    /// it is opened later, it holds less and everybody knows why.
    /// </summary>
    private void Close(Unit unit, UnitFact fact)
    {
        if (!unit.Has(UnitFlags.Closed) && SpecificationOf(unit)?.Capacity is { } capacity)
        {
            unit.Set(UnitFlags.Closed, true);
            if (unit.Children < capacity && !unit.Has(UnitFlags.Partial))
            {
                Tell(UnitCodes.ShortNotFlagged, unit, fact);
                unit.Hold(UnitCodes.ShortNotFlagged);
            }
        }
    }

    private static void Flag(Unit container, UnitFact fact)
    {
        container.Flags |= (fact.IsPartial ? UnitFlags.Partial : 0) | (fact.IsMixed ? UnitFlags.Mixed : 0);
    }
}
