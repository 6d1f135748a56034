package cgroup

const (
	leastQuota  = 1_000  // the kernel's own, in microseconds
	shortPeriod = 20_000 // so that a second under a small quota is even
	longPeriod  = 100_000
	leastShares = 2
	mostShares  = 262_144
	whole       = 100 // percent
)

// within cuts the quota, memory and number of processes to those of a group around this one.
func (l Limits) within(around Limits) Limits {
	if around.QuotaMicroseconds > 0 && l.QuotaMicroseconds > 0 &&
		l.QuotaMicroseconds*around.PeriodMicroseconds > around.QuotaMicroseconds*l.PeriodMicroseconds {
		l.QuotaMicroseconds, l.PeriodMicroseconds = around.QuotaMicroseconds, around.PeriodMicroseconds
	}
	l.MemoryBytes = least(l.MemoryBytes, around.MemoryBytes)
	l.Pids = least(l.Pids, around.Pids)
	return l
}

// paced gives that percentage of the quota.
func (l Limits) paced(percent int64) Limits {
	if percent != whole && l.QuotaMicroseconds > 0 {
		l.QuotaMicroseconds = max(leastQuota, l.QuotaMicroseconds*percent/whole)
	}
	return l
}

// With replaces the figures that `other` has.
func (l Limits) With(other Limits) Limits {
	if other.Shares > 0 {
		l.Shares = other.Shares
	}
	if other.QuotaMicroseconds != 0 {
		l.QuotaMicroseconds, l.PeriodMicroseconds = other.QuotaMicroseconds, other.PeriodMicroseconds
	}
	if other.MemoryBytes > 0 {
		l.MemoryBytes = other.MemoryBytes
	}
	if other.Pids > 0 {
		l.Pids = other.Pids
	}
	return l
}

// even gives the same share of a processor in the shorter period where the quota stays one that
// the kernel takes.
func (l Limits) even() Limits {
	if l.QuotaMicroseconds <= 0 || l.PeriodMicroseconds <= shortPeriod {
		return l
	}
	if quota := l.QuotaMicroseconds * shortPeriod / l.PeriodMicroseconds; quota >= leastQuota {
		l.QuotaMicroseconds, l.PeriodMicroseconds = quota, shortPeriod
	}
	return l
}

// Milli gives the limits of so many thousandths of a core.
func Milli(cpu int64) Limits {
	return Limits{
		Shares:             max(leastShares, cpu*1024/1000),
		QuotaMicroseconds:  max(leastQuota, cpu*longPeriod/1000),
		PeriodMicroseconds: longPeriod,
	}
}

// weight is what cgroup v2 has for shares: 1 to 10000 for 2 to 262144, as Kubernetes maps them.
func weight(shares int64) int64 {
	shares = min(max(shares, leastShares), mostShares)
	return 1 + (shares-leastShares)*9999/(mostShares-leastShares)
}

func least(wished, around int64) int64 {
	if around > 0 && wished > around {
		return around
	}
	return wished
}
